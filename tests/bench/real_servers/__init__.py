"""The whole life of a session at authorization servers that other people wrote, with no setting but what a person has.

`python -m tests.bench.real_servers [NAME...]` installs each server with its own package tool into a cache folder,
starts it, registers a public and a confidential client, and drives `tokenctl`: login, token, two processes after the
token has expired, a wrong secret, a second login, the device flow and client credentials where the server has them,
revoke. One line a step; the exit status is 1 where a step failed.

One module a server; `parts.py` has what they share, `life.py` the steps, `person.py` the one who signs in.
"""

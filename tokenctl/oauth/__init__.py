"""The OAuth protocol as pure functions: one file for each RFC section.

A builder returns a `Request`. A parser takes a `Response`. No function here does input or output, reads a
clock, makes random bytes or writes to the terminal. The caller passes the time as a number (`now`,
`received_at`) and random bytes as `bytes`, and sends the request. The one exception is `Client.make_assertion`: a
client that proves itself with assertions needs a new one for each request.
"""

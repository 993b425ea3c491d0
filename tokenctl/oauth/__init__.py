"""The protocol, pure: records in, records out, one file an RFC section.

What may live here: builders that return a `Request`, parsers that take a `Response`, and the rules
between them. What may not: input and output, a clock, randomness, the terminal. Time enters as a
number (`now`, `received_at`), randomness as bytes, and sending happens elsewhere.
"""

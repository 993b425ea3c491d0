"""A complete authorization server in one process, on loopback only: for a first look and for the tests.

Follow a request: `listener` takes it off the socket, `http_server` records it and lets a test interfere,
`endpoints` and `consent` read it, `authorization_server` and `sessions` decide by the rules, `pages` is
what a person sees. `registry` says who is known, `signing` holds the key, `messages` the two records.
It shares no code with the client in the rest of the package: it must not share its misunderstandings.
"""

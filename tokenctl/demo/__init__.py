"""`tokenctl demo`: a small authorization server on loopback, and a tour that runs the real commands against it.

Follow a request: `http_server` reads it from the socket and hands it to `endpoints` or `consent`, which read it;
`authorization_server` and `sessions` decide by the rules; `pages` is what a person sees. `registry` says who is known,
`signing` holds the key, `messages` has the request and the reply. `tour` has the steps of the tour, and `commands` runs
a command for it.

The server shares no code with the client in the rest of the package, so that both cannot share a mistake.
"""

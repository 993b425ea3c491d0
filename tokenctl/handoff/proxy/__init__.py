"""The proxy: a program sends its requests here with a secret, and they reach one upstream with the access token.

    server          serve on a listening socket for as long as a block runs
    connection      one connection of a client: its limits, and who may connect
    lingering       how it is closed
    request_reader  what HTTP/1.1 leaves open is refused
    application     one request: refuse it, or send it on, once more if the token is refused
    exchange        a request, and how far its answer is
    rules, headers  which requests are refused, and which headers pass: pure functions
    paths           what a server can understand a path as, however it is encoded
    body            the body of a request, which can be sent a second time while it is short
    upstream        requests to the upstream
    lanes           which of its connections a request takes
    sending         its connections, which can read while a long body is sent
    problems        the answers that the proxy itself gives

The commands `proxy` and `exec --proxy` choose the upstream, the secret and the socket.
"""

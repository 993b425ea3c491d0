"""The broker keeps a session alive. The one promise: none is ever lost to a race, a crash or a retry.

Between reading a refresh token and saving its successor there is exactly one process, and its work survives its
caller. Nothing but `revoke` deletes a session.

    current       a token that is fresh enough: step 1, and all there is to do for a fresh one
    renewal       the caller's steps of a renewal: 2 to 5, and 10
    worker        the worker's steps: 6 to 9
    permission    what speaks against asking the server now
    downscoped    a token for a narrower target, kept beside the session
    login         a sign-in, and keeping its session in the place of what was there
    lifecycle     a machine's session begins; a session moves to another store, or ends
"""

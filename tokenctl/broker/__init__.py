"""The broker keeps a session alive. No session is lost to a race, a crash or a retry: that is its one promise.

Between reading a refresh token and saving its successor there is exactly one process. Where a worker is possible, the
work goes on when the caller ends. Nothing but `revoke` deletes a session.

    asked         a token for what a command asks: the session's own, or a narrower one
    current       a token that is fresh enough: step 1, and all that a fresh token needs
    matching      whether a stored session is what is asked for
    renewal       the caller's steps of a renewal: 2 to 4, and 10
    worker_call   step 5: a worker gets the job
    worker        the worker's steps: 6 to 9
    permission    reasons not to send a request now
    downscoped    a token for a narrower target, kept beside the session
    login         a sign-in, and keeping its session in the place of the older one
    kept          a new session is kept, or its tokens are ended at the server
    lifecycle     a machine's session begins; a session moves to another store, or ends
"""

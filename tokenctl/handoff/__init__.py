"""Give the access token, never the refresh token: to a child process, in its environment or in a fresh file; to a Python
program; to the clients of the proxy; and to other tools in their credential protocols (`helpers`), which `clients` sets up.
"""

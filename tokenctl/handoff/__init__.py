"""How an access token leaves: to whom it is given, and in which form. A refresh token never leaves.

To a child process: in its environment, or in a fresh file. To a Python program. To the clients of the proxy. To other
tools: in their credential protocols (`helpers`), which `clients` sets up.
"""

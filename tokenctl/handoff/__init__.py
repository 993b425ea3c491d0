"""Give the access token to a child process: in its environment, or in a file that stays fresh. Never the refresh token."""

"""Give the access token, never the refresh token, to a child process: in its environment, or in a fresh file."""

"""How an access token leaves: the environment of a child, or a file that stays fresh. Never the refresh token."""

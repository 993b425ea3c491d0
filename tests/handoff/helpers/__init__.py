"""The helpers: the protocols of other tools, and what they share."""

"""How a session is kept alive."""

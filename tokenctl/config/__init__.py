"""The config file, the environment, and where secrets come from."""

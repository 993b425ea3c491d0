"""The identity that a job gets from the platform it runs on."""

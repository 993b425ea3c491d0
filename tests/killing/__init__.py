"""Killing processes at every point of a renewal: `sitecustomize` does it from within, `matrix` tells what became of the session."""

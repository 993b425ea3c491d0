"""The output of commands: documents, panels and tables."""

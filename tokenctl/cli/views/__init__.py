"""What a command shows: documents, panels and tables."""

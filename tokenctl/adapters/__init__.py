"""One file for each thing outside the process."""

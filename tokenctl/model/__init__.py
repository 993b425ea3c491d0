"""Records, and the rules that need nothing else."""

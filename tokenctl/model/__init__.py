"""Records, and the rules about them that need no other part of the program."""

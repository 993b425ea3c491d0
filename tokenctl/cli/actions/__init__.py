"""What each command does: one file for each command whose action needs more than click.

`commands/` has what can be typed. It is loaded for `--help` and for wrong words too, so it imports an action only when
the command runs.
"""

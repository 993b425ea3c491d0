"""One file a subcommand, each with its `command`; thin: options in, one call, answer out."""

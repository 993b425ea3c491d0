"""Where a session lives: the OS keyring, an encrypted file, or memory; and the lock and the logs that guard it."""

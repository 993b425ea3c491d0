"""The stores of sessions (OS keyring, encrypted file, memory), and the lock, the redo log and the journal."""

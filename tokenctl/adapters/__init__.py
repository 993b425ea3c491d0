"""What is outside this process, one file each: network, browser, terminal, clock, files, other processes."""

"""Settings and the broker's lists of instruments, LPs and accounts. Only `main` functions read them."""

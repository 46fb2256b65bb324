"""The broker on HTTP and WebSocket: it answers browsers and programs, and asks the other processes over the bus."""

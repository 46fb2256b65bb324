"""The messages between our processes and the sockets that carry them. PROTOCOL.md says the wire in prose."""

"""The desk that clients reach over FIX: what the process `fix-clients` does, apart from its sockets."""

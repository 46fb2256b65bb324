"""What is kept on disk: the engine's journal (SQLite) and the history (PostgreSQL)."""

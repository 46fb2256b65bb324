"""Fuzzing of what reads an LP's bytes, with atheris (the extra `fuzz`)."""

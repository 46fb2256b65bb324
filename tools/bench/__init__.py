"""Measures how fast the broker is: `python -m tools.bench [NAME…] [--json FILE] [--markdown FILE]`."""

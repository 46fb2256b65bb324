"""What the engine does around its journal: what it would lose, when there is no room, when files are tended.

May import `domain`, `bus`, `store` and `actors/errand.py`; no process.
"""

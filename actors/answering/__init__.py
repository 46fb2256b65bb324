"""What the engine answers when it is asked about its state. Nothing here changes it.

May import `domain`, `bus`, `store` and `actors/errand.py`; no process.
"""

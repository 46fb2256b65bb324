"""Orders, positions and what venues report, from a request to its events. It reads the state and does not change it.

May import all of `domain` but `staff`, `evolution` and `broker`.
"""

"""What staff may do, from a request to its events: money, terms, instruments, the dealing desk.

May import all of `domain` but `evolution` and `broker`.
"""

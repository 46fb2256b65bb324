"""Which orders venues get, what becomes of them there, and what is hedged: decided on terms and numbers alone.

May import instruments, orders, quotes, money and wide sums of `domain`; no account, no state.
"""

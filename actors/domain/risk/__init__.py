"""What positions are worth, what they ask for, and how much may be open: decided on numbers alone.

May import quotes, instruments, orders, money and refusals of `domain`; no account, no state.
"""

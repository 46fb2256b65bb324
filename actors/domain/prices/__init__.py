"""How the quotes of all LPs become one price of each symbol: what the aggregator decides, and bars.

May import quotes, instruments, calendar, money and refusals of `domain`; nothing of accounts and their deals.
"""

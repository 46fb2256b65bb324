"""The staff's addresses, all but those of people: accounts, money, terms, dealing rules, LPs and FIX sessions.

It may import `web.handling` and what that may, and no other package of addresses.
"""

"""What a client asks and does over REST: the account, orders, positions, risk, history and statements.

It may import `web.handling` and what that may, and no other package of addresses.
"""

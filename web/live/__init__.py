"""What can be followed on /ws, and how it is told: accounts, prices, books, bars, alerts and what the staff see.

It may import `web.payloads` and `web.auth`. It knows no socket: who follows is a `Watcher`, and `web.ws` has them.
"""

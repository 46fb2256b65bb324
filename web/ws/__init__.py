"""/ws itself: one client's connection, what it may ask and follow, and how frames are written to it.

It may import `web.handling` and what that may, and no other package of addresses.
"""

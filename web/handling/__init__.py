"""What all addresses are handled with: the base of handlers, their contracts, the audit log, the other processes.

It may import `web.payloads`, `web.auth` and `web.live`, and knows no address.
"""

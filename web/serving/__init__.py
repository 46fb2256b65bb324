"""The process as the network and its operator see it: port, limits, proxies, secrets, health, metrics, the page.

It may import `web.handling` and what that may, and no other package of addresses.
"""

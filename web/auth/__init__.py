"""Who is asking, what they may and how often: tokens, keys, second factors, roles and rules, and allowances.

It may import `web.payloads`. The addresses for logging in are in `web.people`.
"""

"""The addresses of people: logging in and out, one's own login, and for the staff users and the audit log.

It may import `web.handling` and what that may, and no other package of addresses.
"""

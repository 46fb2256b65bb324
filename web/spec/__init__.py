"""How the API describes itself, from the route table that it is given: OpenAPI, AsyncAPI and a page for people.

It may import `web.handling` and what that may, and no other package of addresses.
"""

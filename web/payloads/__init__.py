"""The JSON that goes out and comes in: its types, domain structs made JSON and back, and refusals as problems.

It knows the domain and the bus, and nothing else of the web process.
"""

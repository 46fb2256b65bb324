"""The broker on HTTP and WebSocket: it answers browsers and programs, and asks the other processes over the bus.

`app` is the process and `routes` names the handler of each address. Each package says what belongs there.
"""

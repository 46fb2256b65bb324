"""What is said to an LP over FIX 4.4, and what it says: bodies of messages out, messages to our words in.

Pure: no socket, no clock, no state but that of the market data. `session` below is one of `gateway.fix`; a body goes to
`session.send`, a `Message` comes with its `Received`.
"""

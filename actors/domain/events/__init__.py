"""What has happened: the only way in which the engine's state changes, and what history is made of.

Events carry the state after them (the order, the position), so whoever follows can keep a copy without the rules.

May import words and terms of `domain`; neither the state nor what decides.
"""

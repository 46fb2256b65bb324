"""The broker's rules, pure: no clock, socket, random number, logger or file in here.

Here are the words and the state that all packages share, and `broker`, `watch` and `roll`, which use them all.
"""

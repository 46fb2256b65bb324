"""What is made of what an LP is heard to say, whatever its protocol, and where it is reached.

May import `domain`, `bus`, `gateway`, `config`; no process.
"""

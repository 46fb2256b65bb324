"""The FIX sessions with LPs, which the process `fix-lp` runs: what is said there, apart from its sockets.

May import `domain`, `bus`, `store`, `gateway`, `config`, `dispatch`, `quoting` and the counters;
no process.
"""

"""Between the engine and an execution venue, whatever its protocol: orders out, executions in, what a venue holds.

May import `domain`, `bus`, `store`, `gateway` and the counters; no process.
"""

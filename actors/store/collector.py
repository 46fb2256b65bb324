"""Python's garbage collector, and states of millions of objects: it would walk through all of them to find nothing."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """While a state is built or encoded nothing becomes garbage that counting references does not find."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

"""The shape of the tables by which events change the state."""

from collections.abc import Callable
from typing import Any

from actors.domain.state import State

Evolutions = dict[type, Callable[[State, Any], None]]
"""By the class of an event: what it does."""

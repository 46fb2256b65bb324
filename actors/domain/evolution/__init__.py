"""How each event changes the state. Nothing else changes it."""

from actors.domain.events.event import Event
from actors.domain.evolution import accounts, orders, positions, venues
from actors.domain.evolution.table import Evolutions
from actors.domain.state import State

_EVOLVE: Evolutions = {**accounts.EVOLVE, **orders.EVOLVE, **positions.EVOLVE, **venues.EVOLVE}


def evolve(state: State, event: Event) -> None:
    """Takes an event in; the same for one just decided and one from the journal."""
    _EVOLVE[type(event)](state, event)
    state.event_seq += 1

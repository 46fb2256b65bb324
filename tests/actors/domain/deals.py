"""What came of a command, told in a few words."""

import pytest

from actors.domain.broker import apply
from actors.domain.commands import ClosePosition, Input, SubmitOrder
from actors.domain.events.orders import OrderFilled, OrderRejected
from actors.domain.order import OrderStatus, Outcome
from actors.domain.refusal import Code, Refused
from actors.domain.state import State
from tests.examples import START_NS, encoded

NOW_NS = START_NS + 1_000


def refusal(state: State, told: Input, now_ns: int = NOW_NS) -> tuple[Code, str, str]:
    """Code, sentence and field of a refusal that leaves the state as it is."""
    before = encoded(state)
    with pytest.raises(Refused) as refused:
        apply(state, told, now_ns)
    assert encoded(state) == before
    return refused.value.code, refused.value.detail, refused.value.field


def rejection(state: State, command: SubmitOrder, now_ns: int = NOW_NS) -> tuple[str, str]:
    """Code and sentence of the event of a rejection; no money moves and no position is there."""
    (event,) = apply(state, command, now_ns)
    assert isinstance(event, OrderRejected)
    assert (event.order.status, event.order.filled_e8) == (OrderStatus.REJECTED, 0)
    return event.code, event.detail


def filled(state: State, command: SubmitOrder | ClosePosition, now_ns: int = NOW_NS) -> OrderFilled:
    (event,) = apply(state, command, now_ns)
    assert isinstance(event, OrderFilled)
    return event


def outcome_of(state: State, command: SubmitOrder | ClosePosition) -> Outcome | None:
    return state.accounts[command.account_id].outcomes.get(command.client_order_id)

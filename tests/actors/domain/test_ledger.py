import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.domain.ledger import CASH, TRADING, Entry, Ledger, Posting, PostingKind, Unbalanced, client, transfer


def posting(*entries: Entry) -> Posting:
    return Posting(1, PostingKind.TRADE, "fill:1", 0, entries)


def test_a_transfer_takes_from_one_account_what_it_gives_the_other() -> None:
    made = transfer(7, PostingKind.DEPOSIT, "deposit:K", 5, CASH, client(1), "USD", 1_050)
    entries = (Entry("client:1", "USD", 1_050), Entry("broker:cash", "USD", -1_050))
    assert made == Posting(7, PostingKind.DEPOSIT, "deposit:K", 5, entries)


def test_a_negative_transfer_goes_the_other_way() -> None:
    made = transfer(1, PostingKind.TRADE, "fill:1", 0, TRADING, client(1), "USD", -300)
    assert made.entries == (Entry("client:1", "USD", -300), Entry("broker:trading", "USD", 300))


def test_balances_add_up() -> None:
    books = Ledger()
    books.post(transfer(1, PostingKind.DEPOSIT, "deposit:K", 0, CASH, client(1), "USD", 1_000))
    books.post(transfer(2, PostingKind.TRADE, "fill:1", 0, TRADING, client(1), "USD", -300))
    assert books.balances() == (
        Entry("client:1", "USD", 700),
        Entry("broker:cash", "USD", -1_000),
        Entry("broker:trading", "USD", 300),
    )
    assert (books.balance(client(1), "USD"), books.balance(client(1), "EUR"), books.balance("none", "USD")) == (
        700,
        0,
        0,
    )


@pytest.mark.parametrize(
    "entries",
    [
        (Entry(client(1), "USD", 1),),
        (Entry(client(1), "USD", 100), Entry(CASH, "USD", -99)),
        (Entry(client(1), "USD", 100), Entry(CASH, "EUR", -100)),
        (Entry(client(1), "USD", 1), Entry(CASH, "USD", -1), Entry(client(2), "EUR", 5)),
    ],
)
def test_what_does_not_sum_to_zero_in_each_currency_is_not_booked(entries: tuple[Entry, ...]) -> None:
    books = Ledger()
    with pytest.raises(Unbalanced):
        books.post(posting(*entries))
    assert books.balances() == ()


def test_balances_that_do_not_sum_to_zero_make_no_ledger() -> None:
    with pytest.raises(Unbalanced):
        Ledger([Entry(client(1), "USD", 100), Entry(CASH, "USD", -99)])


ACCOUNTS = st.sampled_from([CASH, TRADING, client(1), client(2)])
TRANSFERS = st.lists(
    st.tuples(ACCOUNTS, ACCOUNTS, st.sampled_from(["USD", "EUR", "JPY"]), st.integers(-(10**18), 10**18)), max_size=20
)


@given(TRANSFERS)
def test_any_transfers_leave_the_ledger_balanced_and_kept_balances_are_the_ledger(
    transfers: list[tuple[str, str, str, int]],
) -> None:
    books = Ledger()
    for debit, credit, currency, amount_minor in transfers:
        books.post(transfer(1, PostingKind.TRADE, "fill:1", 0, debit, credit, currency, amount_minor))
    assert books.is_balanced()
    assert Ledger(books.balances()).balances() == books.balances()

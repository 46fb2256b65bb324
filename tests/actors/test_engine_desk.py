"""What the engine answers its staff, over the bus, and what a restart leaves of what they did."""

from pathlib import Path
from typing import Any

from actors.bus.answers import Answer, Done, Refusal
from actors.bus.desk_answers import AccountRows, Breaks, Changes, MoneyReport, MoneyRequests, RoutePreview, Terms
from actors.bus.requests import (
    GetAccounts,
    GetBreaks,
    GetChanges,
    GetMoneyRequests,
    GetTerms,
    PreviewRoute,
)
from actors.domain.approval import MoneyRequest, RequestStatus
from actors.domain.commands import (
    DecideRequest,
    DefineGroup,
    DefineRules,
    Deposit,
    DismissBreak,
    HaltTrading,
    OpenAccount,
    ReportHolding,
    RequestMoney,
    SendHedge,
)
from actors.domain.group import STANDARD, Group
from actors.domain.halt import HaltScope
from actors.domain.money import parse_e8 as e8
from actors.domain.routing.child import Break, BreakReason
from actors.domain.routing.rulebook import Book, Rule
from tests.actors.engine_desk import BUY, Desk
from tests.examples import ACCOUNT, SECOND_NS, START_NS

NOW_NS = START_NS + SECOND_NS
LARGE = Rule(rule_id=1, name="large", book=Book.A_BOOK, venues=("LMAX",), quantity_min_e8=e8("50000"))
DEFAULT = Rule(rule_id=2, name="default", book=Book.B_BOOK)


def ask(desk: Desk, *bodies: Any) -> list[Answer]:
    return [desk.answer(body, NOW_NS) for body in bodies]


def opened(path: Path) -> Desk:
    desk = Desk(path / "engine.sqlite")
    desk.open()
    return desk


def test_money_that_was_asked_for_survives_a_restart_and_is_moved_once(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    movement = Deposit(ACCOUNT, 5_00, "k", "anna")
    asked, again = ask(desk, RequestMoney(movement, "as agreed"), RequestMoney(movement, "as agreed"))
    assert isinstance(asked, MoneyReport)
    assert asked == again
    assert asked.request == MoneyRequest(asked.seq, movement, "as agreed", NOW_NS, RequestStatus.PENDING)
    desk.crash()
    desk = Desk(desk.path)
    (waiting,) = ask(desk, GetMoneyRequests(10, only_pending=True))
    assert waiting == MoneyRequests([asked.request])
    number = asked.request.request_id
    same, decided, repeated = ask(
        desk,
        DecideRequest(number, True, "anna", "me"),
        DecideRequest(number, True, "olga", "seen"),
        DecideRequest(number, True, "olga", "seen"),
    )
    assert isinstance(same, Refusal)
    assert same.code == "SAME_PERSON"
    assert isinstance(decided, MoneyReport)
    assert decided == repeated
    assert decided.request.status is RequestStatus.MOVED
    (rows,) = ask(desk, GetAccounts(10))
    assert isinstance(rows, AccountRows)
    assert [row.balance_minor for row in rows.accounts] == [10_005_00]


def test_accounts_are_listed_page_by_page_and_by_group(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    ask(desk, DefineGroup(Group("pros")), OpenAccount(7, "EUR", group="pros"), OpenAccount(3, "USD"))
    first, rest, pros = ask(desk, GetAccounts(2), GetAccounts(2, 3), GetAccounts(9, group="pros"))
    pages = [[row.account_id for row in page.accounts] for page in (first, rest, pros) if isinstance(page, AccountRows)]
    assert pages == [[ACCOUNT, 3], [7], [7]]


def test_terms_and_who_changed_them(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    ask(
        desk,
        DefineRules((LARGE, DEFAULT), ("LMAX",), "olga", "large ones to LMAX"),
        HaltTrading(HaltScope.SYMBOL, "EURUSD", "rita", "news"),
    )
    terms, changes, of_rules = ask(desk, GetTerms(), GetChanges(10), GetChanges(10, subject="rules"))
    assert isinstance(terms, Terms)
    assert (terms.rules.rules, terms.venues, [halt.what for halt in terms.halts]) == (
        (LARGE, DEFAULT),
        ("LMAX",),
        ["symbol EURUSD"],
    )
    assert [group.name for group in terms.groups] == [STANDARD]
    assert isinstance(changes, Changes)
    assert isinstance(of_rules, Changes)
    assert [change.subject for change in changes.changes] == ["halt symbol EURUSD", "rules"]
    assert of_rules.changes == changes.changes[1:]
    assert terms.versions["rules"] == of_rules.changes[0].version
    (older,) = ask(desk, GetChanges(10, before_version=changes.changes[0].version))
    assert older == of_rules


def test_a_preview_names_the_rule_that_would_win_and_why_the_others_do_not(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    ask(desk, DefineRules((LARGE, DEFAULT), ("LMAX",)))
    small, draft, bad = ask(
        desk,
        PreviewRoute(ACCOUNT, "EURUSD", BUY, e8("10000")),
        PreviewRoute(ACCOUNT, "EURUSD", BUY, e8("60000"), (LARGE, DEFAULT)),
        PreviewRoute(ACCOUNT, "EURUSD", BUY, e8("60000"), (LARGE,)),
    )
    assert isinstance(small, RoutePreview)
    assert (small.version, small.routing.rule_id, small.price_e8) == (1, 2, e8("1.10020"))
    assert [one.why_not for one in small.considered] == ["quantity 10000 < 50000", ""]
    assert isinstance(draft, RoutePreview)
    assert (draft.version, draft.routing.rule_id, draft.routing.venues) == (2, 1, ("LMAX",))
    assert isinstance(bad, Refusal)
    assert (bad.code, bad.field) == ("BAD_TERMS", "rules")


def test_breaks_wait_until_a_person_has_dealt_with_them(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    ask(desk, ReportHolding("LMAX", "EURUSD", e8("5")))
    (found,) = ask(desk, GetBreaks())
    assert isinstance(found, Breaks)
    detail = "LMAX holds 5 EURUSD, and 0 were dealt there"
    assert [one.found for one in found.breaks] == [Break("LMAX:EURUSD", BreakReason.HOLDING, detail, None)]
    dismissed, again, left = ask(
        desk,
        DismissBreak("LMAX:EURUSD", "olga", "moved there by hand"),
        DismissBreak("LMAX:EURUSD", "olga", "moved there by hand"),
        GetBreaks(),
    )
    assert isinstance(dismissed, Done)
    assert isinstance(again, Refusal)
    assert (again.code, left) == ("UNKNOWN_BREAK", Breaks([]))


def test_a_person_s_hedge_is_sent_once(tmp_path: Path) -> None:
    desk = opened(tmp_path)
    hedge = SendHedge("EURUSD", BUY, e8("10000"), ("LMAX",), "h1", "olga", "large client")
    unnamed, *_ = ask(desk, hedge)
    assert isinstance(unnamed, Refusal)
    assert (unnamed.code, unnamed.field) == ("BAD_TERMS", "venues")
    ask(desk, DefineRules((DEFAULT,), ("LMAX",)))
    done, again, other = ask(desk, hedge, hedge, SendHedge("EURUSD", BUY, e8("1"), ("LMAX",), "h1", "olga", "x"))
    assert isinstance(done, Done)
    assert again == done
    assert isinstance(other, Refusal)
    assert other.code == "IDEMPOTENCY_KEY_REUSED"

"""People in a real PostgreSQL: logins, sessions, second factors, keys, the staff's changes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.bus.answers import Refusal
from actors.bus.logins import (
    AddApiKey,
    ApiKeys,
    BeginLogin,
    BeginTotp,
    ChangePassword,
    ConfirmTotp,
    DropTotp,
    EndApiKey,
    EndSession,
    EndSessions,
    GetApiKey,
    GetApiKeys,
    GetRevocations,
    KeyReport,
    LoginTicket,
    OpenSession,
    Revocations,
    Revoked,
    RotateSession,
    Session,
)
from actors.bus.people import PeopleRequest
from actors.bus.users import Actor, AddUser, ChangeUser, GetOneUser, GetUsers, ResetLogin, UnlockUser, UserRow, Users
from actors.store.database import database_url as sqlalchemy_url
from actors.store.history import History
from actors.store.logins import SESSION_LIMIT_NS, SESSIONS_PER_USER

S = 1_000_000_000
NOW = 1_800_000_000 * S
ROOT = Actor(2, "admin", "admin", "192.0.2.9")
HOME = "192.0.2.1"


class People:
    """The store, at a time that moves only when it is told to."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.now_ns = NOW

    def tell(self, told: PeopleRequest) -> Any:
        return self.history.answer_about_people(told, self.now_ns)

    def add(self, name: str, role: str = "trader") -> UserRow:
        users = self.tell(AddUser(ROOT, name, f"hash of {name}", role, 0, "new"))
        assert isinstance(users, Users)
        return users.users[0]

    def login(self, name: str = "anna", **more: Any) -> Any:
        ticket = self.tell(BeginLogin(name, HOME))
        assert isinstance(ticket, LoginTicket)
        assert ticket.user is not None
        user = ticket.user
        return self.tell(OpenSession(user.user_id, user.version, name, HOME, self.now_ns + 60 * S, **more))


@pytest.fixture
def people(database_url: str, tmp_path: Path) -> Iterator[People]:
    history = History(sqlalchemy_url(Path(), database_url))
    history.ensure_users(tmp_path / "credentials.json")
    yield People(history)
    history.close()


@pytest.fixture
def anna(people: People) -> Actor:
    user = people.add("anna")
    return Actor(user.user_id, "anna", "trader", HOME)


def test_guesses_wait_longer_and_longer_and_a_success_forgets_them(people: People, anna: Actor) -> None:
    for name in ("anna", "nobody", "no\0body"):
        for _ in range(5):
            ticket = people.tell(BeginLogin(name, HOME))
            assert (ticket.wait_ns, ticket.user is not None) == (0, name == "anna")
        assert people.tell(BeginLogin(name, "198.51.100.7")) == LoginTicket(None, S)
    assert people.tell(GetOneUser(anna.user_id)).users[0].locked_until_ns == NOW + S
    people.now_ns += S
    assert isinstance(people.login(), Session)
    assert people.tell(BeginLogin("anna", HOME)).wait_ns == 0
    assert people.tell(GetOneUser(anna.user_id)).users[0].failures == 1


def test_an_address_that_guesses_many_names_waits_whatever_name_comes_next(people: People, anna: Actor) -> None:
    waits = [people.tell(BeginLogin(f"name-{number}", HOME)).wait_ns for number in range(51)]
    assert waits == [0] * 50 + [S]
    assert people.tell(BeginLogin("anna", "198.51.100.7")).wait_ns == 0
    people.now_ns += 24 * 3_600 * S + 1
    assert people.tell(BeginLogin("anna", HOME)).wait_ns == 0


def test_a_refresh_token_works_once_and_its_second_use_ends_the_session(people: People, anna: Actor) -> None:
    session = people.login()
    assert (session.counter, session.user.username) == (1, "anna")
    rotate = RotateSession(session.session_id, 1, HOME, NOW + 120 * S)
    second = people.tell(rotate)
    assert (second.session_id, second.counter, second.ends_ns) == (session.session_id, 2, NOW + 120 * S)
    assert people.tell(RotateSession(session.session_id, 3, HOME, NOW + S)).code == "SESSION_ENDED"
    assert people.tell(rotate).code == "REFRESH_REUSED"
    assert people.tell(RotateSession(session.session_id, 2, HOME, NOW + 120 * S)).code == "SESSION_ENDED"
    revoked = people.tell(GetRevocations(0, 0)).revocations
    assert [(r.user_id, r.version, r.session_id) for r in revoked] == [(anna.user_id, 0, session.session_id)]


def test_a_session_ends_by_its_time_by_logout_and_at_last_for_good(people: People, anna: Actor) -> None:
    session = people.login()
    people.now_ns += 60 * S
    assert people.tell(RotateSession(session.session_id, 1, HOME, NOW + 999 * S)).code == "SESSION_ENDED"
    session = people.login()
    far = people.tell(RotateSession(session.session_id, 1, HOME, NOW * 2))
    assert far.ends_ns == people.now_ns + SESSION_LIMIT_NS
    (revocation,) = people.tell(EndSession(session.session_id)).revocations
    assert (revocation.session_id, revocation.user_id) == (session.session_id, anna.user_id)
    assert people.tell(EndSession(session.session_id)) == Revoked([])
    assert people.tell(RotateSession(session.session_id, 2, HOME, NOW * 2)).code == "SESSION_ENDED"


def test_one_session_too_many_ends_the_oldest(people: People, anna: Actor) -> None:
    sessions = [people.login() for _ in range(SESSIONS_PER_USER + 1)]
    assert people.tell(RotateSession(sessions[0].session_id, 1, HOME, NOW + S)).code == "SESSION_ENDED"
    assert isinstance(people.tell(RotateSession(sessions[1].session_id, 1, HOME, NOW + S)), Session)


def test_another_password_and_logout_everywhere_void_all_tokens(people: People, anna: Actor) -> None:
    sessions = [people.login(), people.login()]
    version = sessions[0].user.version
    (revocation,) = people.tell(ChangePassword(anna, version, "new hash")).revocations
    assert (revocation.user_id, revocation.version, revocation.session_id) == (anna.user_id, version + 1, 0)
    for session in sessions:
        assert people.tell(RotateSession(session.session_id, 1, HOME, NOW + S)).code == "SESSION_ENDED"
    assert people.tell(ChangePassword(anna, version, "late hash")).code == "LOGIN_CHANGED"
    assert people.tell(OpenSession(anna.user_id, version, "anna", HOME, NOW + S)).code == "LOGIN_CHANGED"
    assert people.login().user.password_hash == "new hash"
    assert people.tell(EndSessions(anna)).revocations[0].version == version + 2
    assert people.tell(GetRevocations(revocation.seq, NOW)) == Revocations(
        [people.tell(GetRevocations(1, 0)).revocations[0]]
    )
    assert people.tell(GetRevocations(0, NOW + 1)) == Revocations([])


def test_a_second_factor_counts_once_it_is_confirmed_and_each_code_works_once(people: People, anna: Actor) -> None:
    assert people.tell(ConfirmTotp(anna, "", 5, [])).code == "TOTP_NONE"
    people.tell(BeginTotp(anna, "nonce"))
    assert isinstance(people.login(), Session)
    assert people.tell(ConfirmTotp(anna, "other", 5, [])).code == "TOTP_NONE"
    assert people.tell(ConfirmTotp(anna, "nonce", 5, ["one", "two"])) == Revoked([])
    assert people.tell(BeginTotp(anna, "again")).code == "TOTP_ON"
    assert people.login().code == "OTP_USED"
    assert people.login(totp_step=5).code == "OTP_USED"
    people.now_ns += 3_600 * S
    assert isinstance(people.login(totp_step=6), Session)
    assert people.login(totp_step=6).code == "OTP_USED"
    assert isinstance(people.login(recovery_digest="one"), Session)
    assert people.login(recovery_digest="one").code == "OTP_USED"
    people.tell(DropTotp(anna))
    assert isinstance(people.login(), Session)


def test_api_keys_belong_to_one_user(people: People, anna: Actor) -> None:
    (key,) = people.tell(AddApiKey(anna, "bot", "digest", ["read"], ["192.0.2.0/24"], 0)).keys
    assert people.tell(GetApiKeys(anna.user_id)) == ApiKeys([key])
    report = people.tell(GetApiKey(key.key_id))
    assert isinstance(report, KeyReport)
    assert (report.digest, report.user.username, report.key) == ("digest", "anna", key)
    assert people.tell(EndApiKey(ROOT, key.key_id)).code == "UNKNOWN_KEY"
    (revocation,) = people.tell(EndApiKey(anna, key.key_id)).revocations
    assert (revocation.key_id, revocation.version) == (key.key_id, 0)
    assert people.tell(GetApiKey(key.key_id)).code == "UNKNOWN_KEY"
    for number in range(20):
        assert isinstance(people.tell(AddApiKey(anna, str(number), "d", [], [], 0)), ApiKeys)
    assert people.tell(AddApiKey(anna, "one more", "d", [], [], 0)).code == "TOO_MANY_KEYS"


def test_the_staff_changes_users_and_void_tokens_go_with_it(people: People, anna: Actor) -> None:
    session = people.login()
    (key,) = people.tell(AddApiKey(anna, "bot", "digest", ["read"], [], 0)).keys
    assert people.tell(AddUser(ROOT, "anna", "h", "risk", 0, "")).code == "DUPLICATE_USER"
    (changed,) = people.tell(ChangeUser(ROOT, anna.user_id, "risk", 7, True, "left")).users
    assert (changed.role, changed.account_id, changed.disabled) == ("risk", 7, True)
    assert people.tell(RotateSession(session.session_id, 1, HOME, NOW + S)).code == "SESSION_ENDED"
    assert people.tell(GetApiKey(key.key_id)).code == "UNKNOWN_KEY"
    before = people.tell(GetRevocations(0, 0))
    assert people.tell(ChangeUser(ROOT, anna.user_id, "risk", None, True, "again")).users == [changed]
    assert people.tell(GetRevocations(0, 0)) == before
    assert people.tell(BeginLogin("anna", HOME)) == LoginTicket(None, 0)
    listed = people.tell(GetUsers(10, 0)).users
    assert [(user.username, user.failures) for user in listed] == [("trader", 0), ("admin", 0), ("anna", 1)]
    assert people.tell(GetUsers(10, listed[1].user_id)).users == listed[2:]


def test_the_last_administrator_stays(people: People, anna: Actor) -> None:
    other = Actor(9, "gone", "admin", HOME)
    assert people.tell(ChangeUser(other, 2, "risk", None, None, "")).code == "LAST_ADMIN"
    assert people.tell(ChangeUser(other, 2, None, None, True, "")).code == "LAST_ADMIN"
    people.tell(ChangeUser(ROOT, anna.user_id, "admin", None, None, ""))
    assert isinstance(people.tell(ChangeUser(other, 2, None, None, True, "")), Users)


def test_nobody_changes_or_resets_themselves(people: People, anna: Actor) -> None:
    people.tell(ChangeUser(ROOT, anna.user_id, "admin", None, None, ""))
    for told in (
        ChangeUser(ROOT, 2, "trader", None, None, ""),
        ChangeUser(ROOT, 2, None, 7, None, ""),
        ChangeUser(ROOT, 2, None, None, True, ""),
        ResetLogin(ROOT, 2, "hash", ""),
    ):
        assert people.tell(told) == Refusal("SAME_PERSON", "another administrator does this for you", "user_id")


def test_nobody_else_locks_a_user_out_where_they_have_logged_in_before(people: People, anna: Actor) -> None:
    elsewhere = "203.0.113.7"
    people.login()
    for _ in range(5):
        assert people.tell(BeginLogin("anna", elsewhere)).wait_ns == 0
    assert people.tell(BeginLogin("anna", elsewhere)).wait_ns == S
    assert people.tell(BeginLogin("anna", "198.51.100.1")).wait_ns == S
    people.login()
    assert people.tell(BeginLogin("anna", elsewhere)).wait_ns == S, "a login at home excuses no guess from elsewhere"
    for _ in range(5):
        assert people.tell(BeginLogin("anna", HOME)).wait_ns == 0
    assert people.tell(BeginLogin("anna", HOME)).wait_ns == S, "whoever is at the user's own address has no more tries"
    people.tell(UnlockUser(ROOT, anna.user_id, ""))
    for address in (HOME, elsewhere):
        assert people.tell(BeginLogin("anna", address)).wait_ns == 0


def test_support_resets_and_unlocks_clients_alone(people: People, anna: Actor) -> None:
    support = Actor(9, "sue", "support", HOME)
    for told in (ResetLogin(support, 2, "hash", ""), UnlockUser(support, 2, "")):
        assert people.tell(told) == Refusal("FORBIDDEN", "only an administrator does this for the staff", "user_id")
        assert people.tell(type(told)(**{**_fields(told), "user_id": 99})).code == "UNKNOWN_USER"
    people.tell(BeginTotp(anna, "nonce"))
    people.tell(ConfirmTotp(anna, "nonce", 1, []))
    for _ in range(9):
        people.tell(BeginLogin("anna", HOME))
    (reset,) = people.tell(ResetLogin(support, anna.user_id, "reset hash", "lost phone")).users
    assert (reset.second_factor, reset.failures, reset.locked_until_ns) == (False, 0, 0)
    assert people.login().user.password_hash == "reset hash"


def _fields(told: Any) -> dict[str, Any]:
    return {name: getattr(told, name) for name in told.__struct_fields__}

"""`python -m tools.audit`: a log that holds, one that was changed, one that was cut off."""

from pathlib import Path

import psycopg
import pytest

from actors.bus.users import Actor, RecordAct
from actors.store.database import database_url as sqlalchemy_url
from actors.store.history import History
from tools import audit

ROOT = Actor(2, "admin", "admin", "192.0.2.9")


def test_the_chain_holds_until_somebody_changes_it_or_cuts_it_off(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    history = History(sqlalchemy_url(Path(), database_url))
    for number in range(3):
        history.answer_about_people(RecordAct(ROOT, "RemoveLp", f"lp {number}", "", "", ""), number)
    history.close()
    capsys.readouterr()
    assert audit.main([]) == 0
    last = capsys.readouterr().out.split()[-1]
    assert last.startswith("3:")
    assert audit.main(["--expect", last]) == 0
    with psycopg.connect(database_url) as session:
        session.execute("DROP TRIGGER audit_is_append_only ON audit")
        session.execute("DELETE FROM audit WHERE seq = 3")
    assert audit.main([]) == 0
    assert audit.main(["--expect", last]) == 1
    with psycopg.connect(database_url) as session:
        session.execute("UPDATE audit SET username = 'nobody' WHERE seq = 1")
    capsys.readouterr()
    assert audit.main([]) == 1
    assert capsys.readouterr().err == "line 1 was changed\n"

"""An id names one session, whoever its peer is."""

from pathlib import Path

from config import session_ids
from config.settings import Settings

LP = '[{id}]\nlp = "LP"\npurpose = "both"\nsender = "US"\ntarget = "LP"\nenabled = {enabled}\n'


def settings(folder: Path, *sessions: str) -> Settings:
    path = folder / "lps.toml"
    path.write_text("".join(sessions))
    return Settings(lp_sessions=path)


def test_the_sessions_that_come_with_it_have_ids_of_their_own() -> None:
    assert session_ids.shared(Settings()) == ""


def test_an_id_that_both_have_is_said(tmp_path: Path) -> None:
    said = "FIX sessions: [DEMO] is one with a client and one with an LP; each session needs its own id."
    assert session_ids.shared(settings(tmp_path, LP.format(id="DEMO", enabled="true"))) == said
    assert session_ids.shared(settings(tmp_path, LP.format(id="DEMO", enabled="false"))) == ""
    assert session_ids.shared(settings(tmp_path, LP.format(id="demo", enabled="true"))) == ""


def test_a_file_that_cannot_be_read_is_its_own_process_to_say(tmp_path: Path) -> None:
    assert session_ids.shared(settings(tmp_path, "[")) == ""

"""What is kept of the fuzzing: each input of the corpus, whole and damaged, breaks no parser's contract."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
KEPT = {name: [path.read_bytes() for path in sorted((CORPUS / name).iterdir())] for name in TARGETS}


def test_each_parser_has_a_corpus_and_each_corpus_a_parser() -> None:
    assert {path.name for path in CORPUS.iterdir()} == TARGETS.keys()


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept(name: str) -> None:
    for data in KEPT[name]:
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_is_kept_damaged(name: str, data: st.DataObject) -> None:
    kept = bytearray(data.draw(st.sampled_from(KEPT[name])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(kept)))
        kept[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=6))
    TARGETS[name](bytes(kept))

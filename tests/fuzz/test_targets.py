"""The fuzzer's targets with its corpus, mutated by hypothesis: a small part of what `python -m tests.fuzz` tries."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.corpus import CORPUS
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_raises_nothing(name: str) -> None:
    for data in CORPUS[name]:
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@settings(deadline=None)
@given(data=st.data())
def test_neither_does_what_is_like_it(name: str, data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(CORPUS[name])))
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)), max_size=4)):
        whole[at] = byte
    TARGETS[name](bytes(whole))


@pytest.mark.parametrize("name", TARGETS)
@settings(deadline=None)
@given(data=st.binary(max_size=300))
def test_neither_do_any_bytes(name: str, data: bytes) -> None:
    TARGETS[name](data)

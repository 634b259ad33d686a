"""Which names a misspelt one brings to mind."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from fxkit_registry import closest
from fxkit_registry.suggestion import distance

NAMES = ("parametric-eq", "lstm", "tcn", "gain", "multi-resolution-stft", "esr")
words = st.text(string.ascii_lowercase + "-", max_size=9)


@given(st.sampled_from(NAMES), st.data())
def test_every_name_within_two_edits_is_suggested(name: str, data: st.DataObject) -> None:
    edits = 2 if len(name) > 3 else 1
    misspelt = name
    for _ in range(edits):
        misspelt = data.draw(st.sampled_from(neighbours(misspelt)))
    assert name in closest(misspelt, NAMES)


def neighbours(word: str) -> list[str]:
    """Every word one edit away, written out."""
    letters = "aqz-"
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    return [
        *(a + b[1:] for a, b in cuts if b),
        *(a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1),
        *(a + c + b[1:] for a, b in cuts if b for c in letters),
        *(a + c + b for a, b in cuts for c in letters),
    ]


@given(words, words, words)
def test_the_distance_is_symmetric_and_zero_only_for_equals(a: str, b: str, c: str) -> None:
    assert distance(a, b) == distance(b, a)
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a + c, b + c) <= distance(a, b)


@given(words, st.data())
def test_one_edit_is_at_most_one_away(word: str, data: st.DataObject) -> None:
    assert distance(word, data.draw(st.sampled_from(neighbours(word)))) <= 1


def test_a_letter_lost_between_two_that_are_swapped_is_two_edits() -> None:
    assert distance("tlm", "lstm") == 2
    assert "lstm" in closest("tlm", NAMES)


def test_part_of_a_name_is_enough() -> None:
    assert closest("stft", NAMES) == ("multi-resolution-stft",)


def test_spelling_with_underscores_and_capitals_is_the_same() -> None:
    assert closest("Parametric_EQ", NAMES)[0] == "parametric-eq"


def test_nothing_close_is_nothing() -> None:
    assert closest("spaghettifier", NAMES) == ()

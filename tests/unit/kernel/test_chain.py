"""The nested lists of a chain."""

from __future__ import annotations

import pytest

from fxkit.model.chain import Leaf, Parallel, Series, parse_chain


def test_lists_alternate_between_series_and_parallel():
    tree = parse_chain(["pre", ["a", ["b", ["c", "d"]]], "post"])
    inner = Series((Leaf("b"), Parallel((Leaf("c"), Leaf("d")))))
    assert tree == Series((Leaf("pre"), Parallel((Leaf("a"), inner)), Leaf("post")))
    assert list(tree.names()) == ["pre", "a", "b", "c", "d", "post"]
    assert tree.members[1].labels() == ("a", "b+c+d")


@pytest.mark.parametrize("chain", [[], ["a", []], ["a", [["b"], [[]]]]])
def test_empty_lists_are_refused(chain):
    with pytest.raises(ValueError, match="empty list"):
        parse_chain(chain)


def test_other_things_than_names_are_refused():
    with pytest.raises(ValueError, match="3 is neither"):
        parse_chain(["a", 3])

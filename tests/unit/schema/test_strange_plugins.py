"""Plugins that are strange or broken cost a schema no more than themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from fxkit.catalog import Catalog
from fxkit.schema.document import experiment_schema
from fxkit.spec import opt


@attrs.frozen(kw_only=True)
class Endless:
    """Have a default that JSON cannot hold."""

    ceiling: float = opt(float("inf"), ge=0, help="the most")
    pair: tuple[int, float] = opt((1, 2.0), help="two of different kinds")

    def build(self, ctx: Any) -> Any:
        return None


@attrs.frozen(kw_only=True)
class Raising:
    """Fail when it is asked for its presets."""

    def build(self, ctx: Any) -> Any:
        return None

    @classmethod
    def presets(cls) -> Mapping[str, Mapping[str, Any]]:
        raise RuntimeError("no presets today")


@attrs.frozen(kw_only=True)
class Untypable:
    """Have an option that no file can express."""

    where: complex = opt(1j, help="a point")

    def build(self, ctx: Any) -> Any:
        return None


def schema_with(spec: type) -> Any:
    catalog = Catalog.installed(in_tree_only=True).with_local({("processors", "odd"): (spec, "odd.py:Odd")})
    return experiment_schema(catalog)


def test_a_default_that_json_cannot_hold_is_left_out() -> None:
    written = schema_with(Endless)
    odd = json.loads(written.text())["definitions"]["nodes.local.odd"]["properties"]
    assert odd["ceiling"] == {"description": "the most ([0, inf))", "type": "number", "minimum": 0}
    assert odd["pair"]["items"] == [{"type": "integer"}, {"type": "number"}]
    assert (odd["pair"]["minItems"], odd["pair"]["maxItems"]) == (2, 2)
    assert written.left_out == {}


@pytest.mark.parametrize(
    ("spec", "words"), [(Raising, "RuntimeError: no presets today"), (Untypable, "cannot have the type")]
)
def test_one_that_cannot_be_described_is_left_out_with_the_reason(spec: type, words: str) -> None:
    written = schema_with(spec)
    assert "nodes.local.odd" not in written.document["definitions"]
    assert "nodes.lstm" in written.document["definitions"]
    (reason,) = written.left_out.values()
    assert words in reason

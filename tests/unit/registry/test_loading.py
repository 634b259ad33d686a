"""What loading a target does with everything that can go wrong in it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from fxkit_registry import LoadFailure

V1 = "fxkit.v1.processors"


def failure(site: Any, source: str, target: str = "bad_fx.specs:A") -> LoadFailure:
    site.install(
        "bad-fx", "0.4", {V1: {"bad": target}}, {"bad_fx/__init__.py": "", "bad_fx/specs.py": source}
    )
    registry = site.scan()
    entry = registry.find("processors", "bad")
    with pytest.raises(LoadFailure) as caught:
        registry.load(entry)
    assert caught.value.entry == entry
    assert str(caught.value).startswith('"bad" from bad-fx 0.4 cannot be loaded: ')
    return caught.value


def test_a_target_is_imported_and_its_attribute_returned(importable: Any) -> None:
    importable.install(
        "good", "1", {V1: {"a": "good_fx:Outer.Inner"}}, {"good_fx.py": "class Outer:\n class Inner: pass"}
    )
    registry = importable.scan()
    assert "good_fx" not in sys.modules
    loaded = registry.load(registry.find("processors", "a"))
    assert loaded is sys.modules["good_fx"].Outer.Inner


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x = 1\nraise SystemExit(3)", "SystemExit: 3 (bad_fx/specs.py:2)"),
        ("import torchvggish", "ModuleNotFoundError: No module named 'torchvggish' (bad_fx/specs.py:1)"),
        ("def f(:\n", "SyntaxError: invalid syntax (bad_fx/specs.py:1)"),
        ("\n\nraise RuntimeError('a\\nb')", "RuntimeError: a b (bad_fx/specs.py:3)"),
        ("raise BaseException", "BaseException (bad_fx/specs.py:1)"),
        ("import json\njson.loads('{')", None),
    ],
)
def test_the_reason_is_one_line_with_the_place(importable: Any, source: str, reason: str | None) -> None:
    caught = failure(importable, source)
    assert "\n" not in str(caught)
    if reason is None:
        assert caught.reason.endswith("(bad_fx/specs.py:2)"), "the plugin's own line, not the library's"
    else:
        assert caught.reason == reason


def test_the_original_exception_is_kept(importable: Any) -> None:
    caught = failure(importable, "raise SystemExit(3)")
    assert isinstance(caught.original, SystemExit)
    assert caught.__cause__ is caught.original


@pytest.mark.parametrize(
    ("source", "target", "fix"),
    [
        ("import torchvggish", "bad_fx.specs:A", 'Install what provides the module "torchvggish"'),
        ("", "bad_fx.gone:A", "Reinstall bad-fx, or uninstall it; its code is not all there"),
        ("", "bad_fx.specs:Gone", "Update or reinstall bad-fx"),
        ("raise SystemExit(3)", "bad_fx.specs:A", 'Update bad-fx, or uninstall it: "pip uninstall bad-fx"'),
    ],
)
def test_the_fix_fits_the_cause(importable: Any, source: str, target: str, fix: str) -> None:
    caught = failure(importable, source, target)
    assert caught.fix.startswith(fix)
    assert str(caught).endswith(caught.fix)


def test_an_interrupt_by_the_user_passes_through(importable: Any) -> None:
    importable.install("slow", "1", {V1: {"a": "slow_fx:A"}}, {"slow_fx.py": "raise KeyboardInterrupt"})
    registry = importable.scan()
    with pytest.raises(KeyboardInterrupt):
        registry.load(registry.find("processors", "a"))


def test_a_disabled_module_is_never_imported(importable: Any) -> None:
    importable.install("off", "1", {V1: {"a": "off_fx:A"}}, {"off_fx.py": "A = 1"})
    registry = importable.scan(disable=["off"])
    with pytest.raises(LoadFailure, match=r"disabled \(by \[plugins\] disable\)$"):
        registry.load(registry.entries[0])
    assert "off_fx" not in sys.modules

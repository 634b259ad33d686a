"""Make a spec of a plain typed callable, so that `torch.nn:L1Loss` is a plugin as it stands.

Its signature gives the options: names, types (from annotations, else from defaults) and defaults;
its docstring the help. What TOML cannot express is left at its default.
"""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from fxkit.option_type import expressible
from fxkit.spec import opt
from fxkit.traits import Traits

# These kinds declare more than options, which a signature cannot say.
_NEED_SPEC = {"controllers": "traits(ctx)", "features": "dims(ctx)"}
# A function of as many signals is itself the plugin's object; otherwise the callable makes that object.
_SIGNALS = {"losses": 2, "processors": 1}
_SUPPLIED = {"optimizers": 1, "schedules": 1}
_SAMPLE_RATE = "sample_rate"


def spec_class(target: object, kind: str) -> type:
    """Return the spec class of a plugin of `kind` (plural): `target` itself, or one made of a callable.

    A loss is a callable that makes a `(prediction, target)` module, or such a function itself; a
    processor makes, or is, a stateless `audio -> audio` function; an optimiser and a schedule take
    what they act on first. A parameter `sample_rate` is filled with the run's.

    Raises `TypeError` when `target` is neither a spec nor such a callable.
    """
    if isinstance(target, type) and attrs.has(target):
        if not callable(getattr(target, "build", None)):
            raise TypeError(f"the spec {target.__name__} has no build()")
        return target
    if not callable(target):
        raise TypeError(f"{target!r} is neither a spec class nor a callable")
    if kind in _NEED_SPEC:
        raise TypeError(
            f"{_name(target)} is a plain callable; {kind} need a spec class with {_NEED_SPEC[kind]}"
        )
    return _made(_Callable.read(target, kind), kind)


@attrs.frozen(kw_only=True)
class _Callable:
    """Hold a callable and what is known of its signature."""

    target: Callable[..., Any]
    options: Mapping[str, tuple[Any, Any]]
    lists: frozenset[str]
    signals: int
    takes_rate: bool

    @classmethod
    def read(cls, target: Callable[..., Any], kind: str) -> _Callable:
        """Read the signature; raises `TypeError` when a required parameter cannot be an option."""
        hints = _hints(target)
        params = _parameters(target)[_SUPPLIED.get(kind, 0) :]
        named = [param for param in params if param.name != _SAMPLE_RATE]
        found = {param.name: expressible(hints.get(param.name), param.default) for param in named}
        signals = 0 if isinstance(target, type) else _SIGNALS.get(kind, 0)
        if [param.name for param in named[:signals] if found[param.name] or param.default is not param.empty]:
            signals = 0
        for param in named[signals:]:
            if found[param.name] is None and param.default is param.empty:
                raise TypeError(f"{_name(target)} requires {param.name!r}, which no option can express")
        options = {param.name: found[param.name] for param in named[signals:]}
        return cls(
            target=target,
            options={name: option for name, option in options.items() if option is not None},
            lists=frozenset(name for name in options if typing.get_origin(hints.get(name)) is list),
            signals=signals,
            takes_rate=len(named) < len(params),
        )

    def make(self, spec: Any, *first: Any, sample_rate: int | None = None) -> Any:
        """Call the target with the options of `spec`, or bind them when it acts on signals itself."""
        given = {name: getattr(spec, name) for name in self.options}
        given.update(
            {name: list(given[name]) for name in self.lists & given.keys() if given[name] is not None}
        )
        if self.takes_rate:
            given[_SAMPLE_RATE] = sample_rate
        if self.signals:
            return functools.partial(self.target, **given)
        return self.target(*first, **given)


def _made(source: _Callable, kind: str) -> type:
    doc = inspect.cleandoc(source.target.__doc__ or "")
    name = _name(source.target)
    summary, _, details = doc.partition("\n\n")
    body: dict[str, Any] = {
        "__doc__": "\n\n".join(filter(None, (_sentence(summary) or name, details))),
        "__module__": getattr(source.target, "__module__", __name__),
        "__annotations__": {option: hint for option, (hint, _) in source.options.items()},
        **{
            option: opt(default, help=_help(doc, option) or f"{option!r} of {name}")
            for option, (_, default) in source.options.items()
        },
        **_methods(source, kind),
    }
    plain = type(getattr(source.target, "__name__", type(source.target).__name__), (), body)
    return attrs.frozen(kw_only=True)(plain)


def _methods(source: _Callable, kind: str) -> dict[str, Callable[..., Any]]:
    """Return the methods of a spec of `kind`."""

    def build(self: Any, ctx: Any) -> Any:
        return source.make(self, sample_rate=ctx.sample_rate)

    def build_loss(self: Any, ctx: Any) -> Any:
        from fxkit.adapters import PerItemLoss

        return PerItemLoss(build(self, ctx))

    def build_processor(self: Any, ctx: Any) -> Any:
        from fxkit.adapters import StatelessProcessor

        return StatelessProcessor(build(self, ctx))

    def build_optimizer(self: Any, parameters: Sequence[Mapping[str, Any]]) -> Any:
        return source.make(self, parameters)

    def build_schedule(self: Any, optimizer: Any, steps: int) -> Any:
        return source.make(self, optimizer)

    special: dict[str, dict[str, Callable[..., Any]]] = {
        "losses": {"build": build_loss},
        "processors": {
            "build": build_processor,
            "parameters": lambda self, ctx: (),
            "traits": lambda self, ctx: Traits(),
        },
        "optimizers": {"build": build_optimizer},
        "schedules": {"build": build_schedule},
    }
    return special.get(kind, {"build": build})


def _parameters(target: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        signature = inspect.signature(target)
    except ValueError as error:
        raise TypeError(f"{_name(target)} has no signature to read options from") from error
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [param for param in signature.parameters.values() if param.kind not in variadic]


def _hints(target: Any) -> dict[str, Any]:
    """Return the resolved annotations; none where a name in them cannot be resolved."""
    holder = vars(target).get("__init__", target) if isinstance(target, type) else target
    try:
        return typing.get_type_hints(holder)
    except (NameError, TypeError, AttributeError):
        return {}


def _help(doc: str, name: str) -> str:
    """Return the first sentence that a Google-style docstring says of a parameter."""
    head = rf"^[ \t]*{re.escape(name)}[ \t]*(?:\([^)\n]*\))?[ \t]*:[ \t]*"
    match = re.search(
        rf"{head}(\S.*(?:\n(?![ \t]*\w+[ \t]*(?:\([^)\n]*\))?[ \t]*:)[ \t]*\S.*)*)", doc, re.MULTILINE
    )
    return _sentence(match.group(1)).rstrip(".:") if match else ""


def _sentence(text: str) -> str:
    """Return the first sentence of a paragraph, on one line."""
    paragraph = " ".join(text.split("\n\n", 1)[0].split())
    return re.split(r"(?<=[a-z0-9)`])\.\s", paragraph)[0]


def _name(target: Any) -> str:
    qualified = getattr(target, "__qualname__", type(target).__qualname__)
    return f"{getattr(target, '__module__', '')}.{qualified}".lstrip(".")

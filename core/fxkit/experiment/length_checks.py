"""Check training segments against how late the model is and how far it hears back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import attrs

from fxkit.experiment.declarations import Declared, declared_model
from fxkit.experiment.draft import Draft
from fxkit.experiment.report import Report
from fxkit.experiment.tree import Tree


@attrs.frozen
class _Segment:
    """Hold the length of segments, the key that sets it, and where that stands."""

    samples: int
    key: str
    tree: Tree


def check_lengths(found: Draft, report: Report) -> None:
    """Report segments of which nothing is left to score; warn of those shorter than the model's memory."""
    model, data = declared_model(found), found.parts["data"].get("")
    chain = found.tree.at(("model", "chain"))
    if model is None or data is None or chain is None or report.problems:
        return
    latency = _along(chain, {name: one.latency for name, one in model.nodes.items()})
    memory = _memory(chain, model)
    for segment in _segments(found, data.keys.segment):
        if latency >= segment.samples:
            message = f"the model is {latency} samples late, and of {segment.samples} none is left to score"
            report.at_value(segment.tree, f"{message}; {segment.key} = {_rounded(2 * latency)} would do")
        elif memory is not None and memory > data.keys.warmup + segment.samples:
            _tell_short(segment, memory, data.keys.warmup, report.mild)


def _segments(found: Draft, usual: int) -> Iterator[_Segment]:
    entry = found.tree.get("phase")
    tables = entry.value if entry is not None and isinstance(entry.value, tuple) else ()
    own = [tree for tree in (table.get("segment") for table in tables) if tree is not None]
    yield from (_Segment(tree.value, "segment", tree) for tree in own)
    tree = found.tree.at(("data", "segment")) or found.tree.at(("data", "type"))
    if tree is not None and (not own or len(own) < len(tables)):
        yield _Segment(usual, "data.segment", tree)


def _tell_short(segment: _Segment, memory: int, warmup: int, report: Report) -> None:
    lead = f" behind a warm-up of {warmup}" if warmup else ""
    report.at_value(
        segment.tree,
        f"the model hears {memory} samples back, and segments are {segment.samples} long{lead}: nothing"
        f" that is scored has all of its past; {segment.key} = {_rounded(memory - warmup)} would do",
    )


def _rounded(samples: int) -> int:
    """Return the next power of two."""
    return 1 << max(4, (samples - 1).bit_length())


def _memory(chain: Tree, model: Declared) -> int | None:
    """Return how many samples of its input the model's output depends on; None when without an end."""
    fields = [node.receptive_field for node in model.nodes.values()]
    heard = [traits for traits in model.controllers.values() if "audio" in traits.uses]
    if None in fields or any(traits.receptive_field is None for traits in heard):
        return None
    through = _along(chain, {name: (one.receptive_field or 1) - 1 for name, one in model.nodes.items()})
    return 1 + through + sum((traits.receptive_field or 1) + traits.delay - 1 for traits in heard)


def _along(chain: Tree, samples: Mapping[str, int], pick: Callable[..., int] = sum) -> int:
    """Add samples up along a series, and take the most of parallel branches."""
    if isinstance(chain.value, tuple):
        inner = max if pick is sum else sum
        return int(pick(_along(member, samples, inner) for member in chain.value))
    return samples.get(chain.value, 0)

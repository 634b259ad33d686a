"""Measure how fast a model streams: block after block, as a plug-in host would call it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import attrs
import torch

from fxkit.engine.streaming import due_features
from fxkit.feature_cache import FeatureCache
from fxkit.inspection.subject import Subject
from fxkit.model.assembly import build_context
from fxkit.model.graph import Model
from fxkit.values import Output, Recording, State

Mode = Callable[[], AbstractContextManager[Any]]

_WARM_BLOCKS = 20


@attrs.frozen(kw_only=True)
class Timing:
    """Hold what was measured for one block size.

    `real_time` is seconds of audio per second of computing over the whole stream; `median_ms` and
    `slow_ms` (99 of 100 are faster) are for one block, which lasts `block_ms`. `nodes` tells
    the share of each node, and of each controller that works in every block.
    """

    block: int
    block_ms: float
    median_ms: float
    slow_ms: float
    real_time: float
    nodes: dict[str, float]


def measure(
    subject: Subject, *, block: int, seconds: float, device: str = "cpu", mode: Mode = torch.inference_mode
) -> Timing:
    """Stream `seconds` of a test signal through a model in blocks of `block` samples and time each block.

    `mode` is how torch is kept from recording gradients: `torch.no_grad` for a model that is trained yet.
    """
    stream = _Stream.make(subject, block, seconds, device, mode)
    spans = stream.run(block)
    shares = _shares(stream, block, min(len(spans), 200))
    rate = subject.experiment.run.sample_rate
    return Timing(
        block=block,
        block_ms=1e3 * block / rate,
        median_ms=1e3 * statistics.median(spans),
        slow_ms=1e3 * sorted(spans)[int(0.99 * (len(spans) - 1))],
        real_time=len(spans) * block / rate / sum(spans),
        nodes=shares,
    )


@attrs.frozen(kw_only=True, eq=False)
class _Stream:
    """Hold a model and all that it is fed."""

    model: Model
    audio: torch.Tensor
    knobs: torch.Tensor | None
    features: dict[str, torch.Tensor]
    hop: int
    mode: Mode

    @classmethod
    def make(cls, subject: Subject, block: int, seconds: float, device: str, mode: Mode) -> _Stream:
        experiment = subject.experiment
        ctx = next(iter(subject.model.plan.nodes.values())).ctx
        count = max(1, round(seconds * ctx.sample_rate / block)) + _WARM_BLOCKS
        target = sawtooth(count * block, ctx.sample_rate).expand(max(ctx.target_channels, 1), -1)
        recording = Recording(name="test signal", target=target)
        series = FeatureCache(experiment.features, build_context(experiment)).series(recording)
        return cls(
            model=subject.model,
            audio=target[: ctx.channels][None].to(device),
            knobs=torch.full((1, len(ctx.knobs)), 0.5, device=device) if ctx.knobs else None,
            features={name: one[None].to(device) for name, one in series.items()},
            hop=ctx.hop,
            mode=mode,
        )

    def run(self, block: int, blocks: int | None = None) -> list[float]:
        """Return the seconds that each block took, without those that warm up."""
        spans, state = [], None
        total = self.audio.shape[-1] if blocks is None else (blocks + _WARM_BLOCKS) * block
        with self.mode():
            for start in range(0, min(total, self.audio.shape[-1]), block):
                piece = self.audio[..., start : start + block]
                due = due_features(self.features, start, piece.shape[-1], self.hop)
                begin = time.perf_counter()
                state = self._step(piece, due, state).state
                spans.append(time.perf_counter() - begin)
        return spans[_WARM_BLOCKS:]

    def _step(self, piece: torch.Tensor, due: dict[str, torch.Tensor], state: State) -> Output:
        output: Output = self.model(piece, knobs=self.knobs, features=due, state=state)
        if self.audio.is_cuda:
            torch.cuda.synchronize()
        return output


def sawtooth(samples: int, rate: int) -> torch.Tensor:
    """Return a sawtooth of 220 Hz at -12 dBFS with faint noise, float32 [1, samples]."""
    noise = torch.randn(samples, generator=torch.Generator().manual_seed(0))
    phase = torch.arange(samples, dtype=torch.float64) * 220 / rate % 1
    return (0.25 * (2 * phase.float() - 1) + 1e-3 * noise)[None]


def _shares(stream: _Stream, block: int, blocks: int) -> dict[str, float]:
    """Return each node's and controller's share of the time, measured in a pass of its own."""
    spent: dict[str, float] = {}
    named = {name: stream.model.node(name) for name in stream.model.plan.nodes}
    named |= {name: stream.model.drive(name) for name in stream.model.plan.controllers}
    with _watched(named, spent):
        total = sum(stream.run(block, blocks))
    return {name: spent.get(name, 0.0) / total for name in named} if total else {}


@contextmanager
def _watched(modules: dict[str, torch.nn.Module], spent: dict[str, float]) -> Iterator[None]:
    handles = []
    for name, module in modules.items():
        before, after = _stopwatch(name, spent)
        handles += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _stopwatch(name: str, spent: dict[str, float]) -> tuple[Callable[..., None], Callable[..., None]]:
    calls: list[float] = []

    def before(*_: object) -> None:
        calls.append(time.perf_counter())

    def after(*_: object) -> None:
        # What warms up is not counted in the total either.
        if len(calls) > _WARM_BLOCKS:
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - calls[-1]

    return before, after

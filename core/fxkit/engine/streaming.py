"""Run a model over whole recordings, in one go or in blocks, with the same samples either way."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import torch

from fxkit.model.graph import Model
from fxkit.model.manner import PLAIN, Manner
from fxkit.values import Output, State
from fxkit_signal.framing import frames_due, frames_given


def due_features(
    features: Mapping[str, torch.Tensor], start: int, samples: int, hop: int
) -> dict[str, torch.Tensor]:
    """Cut the frames that fall due in samples [start, start + samples) of whole series.

    `features` name -> [batch, dims, frames] of the whole recording; past the end the last frame holds.
    """
    count = frames_due(start, samples, hop)
    first = frames_given(start, hop)
    return {name: _held(series, first, count) for name, series in features.items()}


def due_knobs(knobs: torch.Tensor | None, start: int, samples: int, hop: int) -> torch.Tensor | None:
    """Cut the frames due of knobs that move, [batch, knobs, frames] from sample 0; leave others as they are.

    The frames are those that fall due in samples [start, start + samples).
    """
    if knobs is None or not _moves(knobs):
        return knobs
    return _held(knobs, frames_given(start, hop), frames_due(start, samples, hop))


def _moves(knobs: torch.Tensor | None) -> bool:
    return knobs is not None and knobs.ndim == 3


def _held(series: torch.Tensor, first: int, count: int) -> torch.Tensor:
    index = torch.arange(first, first + count, device=series.device).clamp(max=series.shape[-1] - 1)
    return series[..., index]


def stream(
    model: Model,
    audio: torch.Tensor,
    *,
    knobs: torch.Tensor | None = None,
    features: Mapping[str, torch.Tensor] | None = None,
    block: int,
    state: State = None,
    position: int = 0,
    clock: int = 0,
    manner: Manner = PLAIN,
) -> Iterator[Output]:
    """Yield the model's output block by block, carrying its state.

    `audio` [batch, channels, samples]; `features`, and `knobs` that move, are whole series from sample 0;
    `position` is where `audio` starts in them. Without a `state`, the clocks of the model stand at
    `clock` + `position`. `manner` is how the model runs.
    """
    total = audio.shape[-1]
    hop = _hop(model)
    begun = clock + position
    starts = torch.full((audio.shape[0],), begun) if begun and state is None else None
    for start in range(0, total, block):
        piece = audio[..., start : start + block]
        due = due_features(features or {}, position + start, piece.shape[-1], hop)
        turned = due_knobs(knobs, position + start, piece.shape[-1], hop)
        output = model(piece, knobs=turned, features=due, state=state, starts=starts, manner=manner)
        state, starts = output.state, None
        yield output


def _hop(model: Model) -> int:
    return next(iter(model.plan.nodes.values())).ctx.hop


def process(
    model: Model,
    audio: torch.Tensor,
    *,
    knobs: torch.Tensor | None = None,
    features: Mapping[str, torch.Tensor] | None = None,
    block: int = 65536,
    clock: int = 0,
    manner: Manner = PLAIN,
) -> Output:
    """Run the model over `audio` and return it aligned: latency is flushed out with silence.

    So are the stems, and where the `manner` keeps them the audio behind each node: sample k of each belongs
    to sample k of `audio`. `clock` counts the samples that the model's clocks have run for before `audio`.
    Parameter tracks are those of the blocks, joined in time; constants stand once.
    """
    late = model.latency
    total = audio.shape[-1]
    padded = torch.nn.functional.pad(audio, (0, late))
    outputs = list(
        stream(model, padded, knobs=knobs, features=features, block=block, clock=clock, manner=manner)
    )
    plan = model.plan
    return Output(
        audio=_joined([output.audio for output in outputs])[..., late : late + total],
        state=outputs[-1].state,
        parameters=_tracks(outputs, plan.still - (plan.turned if _moves(knobs) else set())),
        stems=_aligned([output.stems for output in outputs], plan.stems_late, total),
        nodes=_aligned([output.nodes for output in outputs], plan.late, total),
        terms=outputs[-1].terms,
    )


def _joined(pieces: list[torch.Tensor]) -> torch.Tensor:
    return torch.cat(pieces, dim=-1)


def _aligned(
    pieces: Sequence[Mapping[str, torch.Tensor]], late: Mapping[str, int], samples: int
) -> dict[str, torch.Tensor]:
    return {
        name: _joined([piece[name] for piece in pieces])[..., late[name] : late[name] + samples]
        for name in pieces[0]
    }


def _tracks(outputs: list[Output], still: Collection[str]) -> dict[str, torch.Tensor]:
    return {
        name: outputs[0].parameters[name][..., :1]
        if name in still
        else _joined([output.parameters[name] for output in outputs])
        for name in outputs[0].parameters
    }

"""Checks of what goes in and out: shapes, types, items apart from each other, state as a value."""

from __future__ import annotations

import copy
import io
from typing import Any

import attrs
import torch

from fxkit.testing.case import Case, ControllerCase, ProcessorCase, run, stirred
from fxkit.testing.check import distance, promise
from fxkit.testing.track import cut
from fxkit.values import State
from fxkit_signal.framing import frames_given

SAMPLES = 600


def check_output_shape(case: ProcessorCase) -> None:
    """Check that audio keeps its length and type and has the declared channels, for 1 sample too.

    Auxiliary terms are those declared, with one value per item or more.
    """
    module, ctx = stirred(case), case.surroundings
    traits = case.spec.traits(ctx)
    channels = traits.channels_out or (ctx.target_channels if traits.source else ctx.channels)
    for samples, batch in ((SAMPLES, 3), (1, 1)):
        tracks = case.tracks(samples, batch=batch)
        audio = run(case, module, tracks)
        expected = (batch, channels, samples)
        promise(tuple(audio.shape) == expected, case, f"yields {tuple(audio.shape)}, declares {expected}")
        promise(audio.dtype == torch.float32, case, f"yields {audio.dtype} for float32")
        _check_terms(case, case.call(module, tracks), traits.terms, batch)


def _check_terms(case: Case, result: tuple[Any, ...], names: tuple[str, ...], batch: int) -> None:
    parts = 3 if names else 2
    promise(len(result) == parts, case, f"returns {len(result)} values, not {parts}, for the terms {names}")
    found = dict(result[2]) if names else {}
    promise(
        sorted(found) == sorted(names), case, f"returns the terms {sorted(found)}, declares {sorted(names)}"
    )
    for name, value in found.items():
        promise(value.ndim > 0 and len(value) == batch, case, f"has no value per item in the term {name}")


def check_control_shape(case: ControllerCase) -> None:
    """Check that there is one value per parameter value, on the declared grid, within [0, 1]."""
    module = stirred(case)
    for samples, batch in ((SAMPLES, 3), (1, 1)):
        tracks = case.tracks(samples, batch=batch)
        values = run(case, module, tracks)
        _check_terms(case, case.call(module, tracks), case.spec.traits(case.surroundings).terms, batch)
        lengths = {"constant": 1, "sample": samples, "frame": frames_given(samples, case.hop or 1)}
        expected = (batch, case.ctx.control_size, lengths[case.grid])
        promise(tuple(values.shape) == expected, case, f"yields {tuple(values.shape)}, declares {expected}")
        low, high = (float(end.detach()) for end in values.aminmax())
        promise(low >= 0 and high <= 1, case, f"emits {low:g} to {high:g}, outside 0 to 1")


def check_items_apart(case: Case) -> None:
    """Check that an item of a batch does not depend on its neighbours."""
    module = stirred(case)
    tracks, strangers = (case.tracks(SAMPLES, batch=3, seed=seed) for seed in (0, 1))
    others = {
        name: attrs.evolve(track, values=torch.cat((track.values[:1], strangers[name].values[1:])))
        for name, track in tracks.items()
    }
    error = distance(run(case, module, others)[0], run(case, module, tracks)[0])
    promise(error <= 1e-6, case, f"changes an item by {error:.1e} when its neighbours in the batch change")


def check_repeatable(case: Case) -> None:
    """Check that the same module, and another of the same seed, yield the same values."""
    tracks, module = case.tracks(SAMPLES), stirred(case)
    expected = run(case, module, tracks)
    promise(torch.equal(run(case, module, tracks), expected), case, "yields other values on a second call")
    promise(torch.equal(run(case, stirred(case), tracks), expected), case, "yields other values when rebuilt")


def check_state_is_a_value(case: Case) -> None:
    """Check that a state is left as it was by its use, and survives saving and loading."""
    module, tracks = stirred(case), case.tracks(SAMPLES)
    _, state = case.step(module, cut(tracks, 0, 300), None)
    rest = cut(tracks, 300, SAMPLES)
    before = copy.deepcopy(_detached(state))
    expected = case.step(module, rest, state)[0]
    promise(torch.equal(case.step(module, rest, state)[0], expected), case, "changes the state it is given")
    loaded = case.step(module, rest, _reloaded(before))[0]
    promise(torch.equal(loaded, expected), case, "goes on otherwise from a saved state")


def _detached(state: State) -> Any:
    if isinstance(state, torch.Tensor):
        return state.detach()
    if isinstance(state, dict):
        return {name: _detached(value) for name, value in state.items()}
    return type(state)(map(_detached, state)) if isinstance(state, (tuple, list)) else state


def _reloaded(state: Any) -> Any:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=True)

"""Checks at the edges: silence, ends of parameter ranges, weights that move to another process."""

from __future__ import annotations

import io
import pickle
from typing import Any

import attrs
import torch

from fxkit.testing.case import Case, ControllerCase, ProcessorCase, run, stirred, weights
from fxkit.testing.check import promise
from fxkit.testing.track import Tracks, cut, with_values
from fxkit.values import State

SAMPLES = 480
REACH = 0.999
STEPS = 400
TAIL = 4096


def check_silence(case: Case) -> None:
    """Check that silence gives finite values and finite gradients."""
    module, tracks = stirred(case), case.tracks(SAMPLES + case.lead)
    silence = torch.zeros_like(tracks["audio"].values)
    _check_finite(case, module, with_values(tracks, "audio", silence), "on silence")


def check_extremes(case: ProcessorCase) -> None:
    """Check that parameters at the ends of their ranges, and jumping between them, stay finite."""
    module, tracks = stirred(case), case.tracks(SAMPLES + case.lead)
    for parameter in case.parameters:
        name = f"param:{parameter.name}"
        values = tracks[name].values
        low, high = torch.full_like(values, parameter.low), torch.full_like(values, parameter.high)
        jumps = (torch.arange(values.shape[-1]) // 50 % 2).to(values).expand_as(values)
        for ends in (low, high, torch.lerp(low, high, jumps)):
            changed = with_values(tracks, name, ends)
            _check_finite(case, module, changed, f"with {parameter.name} at {parameter.range_text}")


def _check_finite(case: Case, module: object, tracks: Tracks, where: str) -> None:
    leaves = {name: track.values.clone().requires_grad_() for name, track in tracks.items()}
    live = {name: attrs.evolve(track, values=leaves[name]) for name, track in tracks.items()}
    yielded = run(case, module, live)
    promise(bool(yielded.isfinite().all()), case, f"is not finite {where}")
    if not yielded.requires_grad:
        return
    yielded.square().sum().backward()
    for name, leaf in (leaves | weights(module)).items():
        finite = leaf.grad is None or bool(leaf.grad.isfinite().all())
        promise(finite, case, f"has a gradient to {name} that is not finite {where}")


def check_weights_travel(case: Case) -> None:
    """Check that saved weights, loaded into a module built otherwise, give the same values.

    They are saved and loaded as tensors alone, without pickled code (`weights_only`).
    """
    module, other, tracks = stirred(case), stirred(case, seed=1), case.tracks(SAMPLES + case.lead)
    if isinstance(module, torch.nn.Module):
        other.load_state_dict(_reloaded(case, module.state_dict()))
    same = torch.equal(run(case, other, tracks), run(case, module, tracks))
    promise(same, case, "yields other values once its weights are loaded into a new module")


def _reloaded(case: Case, state: Any) -> Any:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    try:
        return torch.load(buffer, weights_only=True)
    except pickle.UnpicklingError as error:
        promise(False, case, f"has weights that cannot be loaded without running code: {str(error)[:120]}")


def check_denormals(case: Case) -> str | None:
    """Check that no part of the state stays denormal after sound has died away, and tiny input stays finite.

    Numbers below the normal ones are some hundred times slower to compute with on many processors. A
    recursion must not come to rest on one: it decays to zero, or is flushed.
    """
    module, tracks = stirred(case), case.tracks(TAIL + case.lead)
    if tracks["audio"].values.numel() == 0:
        return "it takes no audio"
    audio = torch.zeros_like(tracks["audio"].values)
    _check_finite(case, module, with_values(tracks, "audio", audio + 1e-40), "on denormal input")
    audio[..., :64] = tracks["audio"].values[..., :64]
    quiet = with_values(tracks, "audio", audio)
    with torch.no_grad():
        _, before = case.step(module, cut(quiet, 0, TAIL - 64), None)
        _, after = case.step(module, cut(quiet, TAIL - 64, TAIL), before)
    for early, late in zip(_floats(before), _floats(after), strict=False):
        tiny = (late != 0) & (late.abs() < torch.finfo(late.dtype).tiny)
        stuck = late.shape == early.shape and bool((tiny & (late == early)).any())
        promise(not stuck, case, f"keeps denormal numbers in its state after {TAIL} samples of silence")
    return None


def _floats(state: State) -> list[torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return [state] if state.is_floating_point() else []
    members = state.values() if isinstance(state, dict) else state if isinstance(state, (tuple, list)) else ()
    return [tensor for member in members for tensor in _floats(member)]


def check_whole_range(case: ControllerCase) -> str | None:
    """Check that training can drive every value to 0.999 of its range, and to 0.001."""
    if not weights(stirred(case)):
        return "it has no weights to train"
    tracks = case.tracks(SAMPLES)
    for goal in (1.0, 0.0):
        torch.manual_seed(0)
        module = case.build()
        # Short averages: the step does not shrink with the gradient.
        optimizer = torch.optim.Adam(module.parameters(), lr=0.1, betas=(0.9, 0.9))
        worst = 1.0
        for _ in range(STEPS):
            miss = (run(case, module, tracks) - goal).abs()
            worst = float(miss.detach().max())
            if worst <= 1 - REACH:
                break
            optimizer.zero_grad()
            # Cross-entropy: its slope does not die where a sigmoid saturates.
            (-torch.log1p(1e-6 - miss).mean()).backward()
            optimizer.step()
        text = f"comes no nearer than {worst:.4f} to {goal:g}, an end of the range"
        promise(worst <= 1 - REACH, case, text)
    return None


def check_mappings(case: ProcessorCase) -> None:
    """Check that each parameter's mapping covers its range, and comes back to 1e-6 of it."""
    for parameter in case.parameters:
        span = parameter.high - parameter.low
        ends = (parameter.to_physical(0.0), parameter.to_physical(1.0))
        wrong = max(abs(ends[0] - parameter.low), abs(ends[1] - parameter.high)) / span
        promise(wrong <= 1e-6, case, f"maps {parameter.name} to {ends}, not {parameter.range_text}")
        for share in (0.01, 0.3, 0.5, 0.99):
            back = parameter.to_normalised(parameter.to_physical(share))
            promise(abs(back - share) <= 1e-6, case, f"maps {parameter.name} from {share} back to {back}")

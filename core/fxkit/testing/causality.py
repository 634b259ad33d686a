"""Checks of when an input acts: causality, latency and receptive field, by perturbation."""

from __future__ import annotations

import torch

from fxkit.testing.case import Case, ProcessorCase, run, stirred
from fxkit.testing.check import first_change, promise
from fxkit.testing.track import Track, on_values

MOMENTS = (256, 421, 960)
SAMPLES = 1600


def check_causality(case: Case) -> None:
    """Check that no input acts before its time, whatever it is.

    Samples act from themselves on; a frame from the sample after the frame before it, because values
    in between are interpolated; an audio sample on the frames that are not due yet when it arrives.
    """
    if case.grid == "constant" or not case.spec.traits(case.surroundings).causal:
        return
    module, tracks = stirred(case), case.tracks(SAMPLES)
    before = run(case, module, tracks)
    for name, track in tracks.items():
        for moment in MOMENTS if track.grid != "constant" else ():
            after = run(case, module, {**tracks, name: track.changed_from(moment)})
            first = first_change(after, before)
            earliest = _earliest(case, track, moment)
            promise(
                first is None or first >= earliest,
                case,
                f"is not causal: {name} from sample {moment} on acts at {case.grid} {first}, not {earliest}",
            )


def _earliest(case: Case, track: Track, moment: int) -> int:
    if track.grid == "sample":
        return moment if case.grid == "sample" else moment // case.hop + 2
    frame = -(-moment // track.hop)
    return frame if case.grid == "frame" else (frame - 1) * track.hop + 1


def check_latency(case: ProcessorCase) -> None:
    """Check that the audio acts no later than the declared latency, to the sample."""
    traits = case.spec.traits(case.surroundings)
    if traits.source:
        return
    module, tracks = stirred(case), case.tracks(SAMPLES + traits.latency)
    before = run(case, module, tracks)
    for moment in MOMENTS:
        after = run(case, module, {**tracks, "audio": tracks["audio"].changed_from(moment)})
        first = first_change(after, before)
        promise(
            first is not None and first <= moment + traits.latency,
            case,
            f"declares a latency of {traits.latency}; audio from sample {moment} on acts at {first}",
        )


def check_receptive_field(case: ProcessorCase) -> None:
    """Check a declared receptive field by the gradient of one output sample, to the sample."""
    traits = case.spec.traits(case.surroundings)
    field = traits.receptive_field
    if field is None or not traits.differentiable or traits.source:
        return
    module = stirred(case, dtype=torch.float64)
    tracks = dict(on_values(case.tracks(2 * field + 64, batch=1), torch.Tensor.double))
    audio = tracks["audio"].values.requires_grad_()
    moment = audio.shape[-1] - 33
    run(case, module, tracks)[..., moment].sum().backward()
    assert audio.grad is not None
    reach = audio.grad.abs().amax(dim=(0, 1))
    used = (reach > 1e-12 * reach.max()).nonzero().flatten()
    oldest = moment - int(used.min()) + 1
    promise(oldest == field, case, f"declares a receptive field of {field} samples; {oldest} were measured")

"""Checks of when an input acts: causality, latency and receptive field, by perturbation."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import torch

from fxkit.testing.case import Case, ProcessorCase, run, stirred, weights
from fxkit.testing.check import first_changes, promise
from fxkit.testing.track import Track, Tracks, on_values

MOMENTS = (256, 421, 840, 960, 1024)
SAMPLES = 1600
LONGEST_FIELD = 1 << 16


def check_causality(case: Case) -> str | None:
    """Check that no input acts before its time, whatever it is.

    Samples act from themselves on; a frame from the sample after the frame before it, because values
    in between are interpolated; an audio sample on the frames that are not due yet when it arrives.
    """
    if case.grid == "constant":
        return "its values do not move"
    if not case.spec.traits(case.surroundings).causal:
        return "it declares not to be causal"
    module = stirred(case)
    tracks, changed = _pair(case.tracks(SAMPLES + case.lead))
    before = run(case, module, tracks)
    for name, track in tracks.items():
        if track.grid == "constant":
            continue
        after = run(case, module, {**tracks, name: _switched(track, changed[name])})
        for moment, first in zip(MOMENTS, first_changes(after, before), strict=True):
            earliest = _earliest(case, track, moment)
            promise(
                first is None or first >= earliest,
                case,
                f"is not causal: {name} from sample {moment} on acts at {case.grid} {first}, not {earliest}",
            )
    return None


def _pair(tracks: Tracks, moments: Sequence[int] = MOMENTS) -> tuple[Tracks, Tracks]:
    """Return one item of the tracks for each moment, and as many of another item."""
    return _repeated(tracks, 0, len(moments)), _repeated(tracks, 1, len(moments))


def _repeated(tracks: Tracks, item: int, times: int) -> Tracks:
    return on_values(tracks, lambda values: values[item : item + 1].repeat_interleave(times, 0))


def _switched(track: Track, other: Track, moments: Sequence[int] = MOMENTS) -> Track:
    """Return a track that goes over to another at a different moment in each item."""
    values = track.values.clone()
    for item, moment in enumerate(moments):
        first = moment if track.grid == "sample" else -(-moment // track.hop)
        values[item, ..., first:] = other.values[item, ..., first:]
    return attrs.evolve(track, values=values)


def _earliest(case: Case, track: Track, moment: int) -> int:
    if track.grid == "sample":
        return moment if case.grid == "sample" else moment // case.hop + 2
    frame = -(-moment // track.hop)
    return frame if case.grid == "frame" else (frame - 1) * track.hop + 1


def check_latency(case: ProcessorCase) -> str | None:
    """Check that the declared latency is the true one, to the sample.

    Of changes of the audio at several moments, one at least acts after the latency or sooner, and most no
    later than the receptive field accounts for (a sample that is held acts when the hold ends). With
    a latency and no weights, the output resembles the audio most after about that, not sooner.
    """
    traits = case.spec.traits(case.surroundings)
    if traits.source:
        return "it takes no audio"
    module = stirred(case, dtype=torch.float64)
    item, other = _pair(on_values(case.tracks(SAMPLES + traits.latency), torch.Tensor.double))
    before = run(case, module, item)
    # Far below what one can hear: the first sample of a steep low-pass's answer is that small.
    tolerance = 1e-11 if before.dtype == torch.float64 else 1e-6

    def delays(moments: Sequence[int]) -> list[int]:
        after = run(case, module, {**item, "audio": _switched(item["audio"], other["audio"], moments)})
        firsts = first_changes(after, before, tolerance)
        return [first - moment for moment, first in zip(moments, firsts, strict=True) if first is not None]

    usual = delays(MOMENTS)
    promise(len(usual) == len(MOMENTS), case, "does not answer to a change of its audio")
    # Where a held sample was taken over, a change that comes just then acts at once.
    soonest = min(
        delays([moment + delay - traits.latency for moment, delay in zip(MOMENTS, usual, strict=True)])
    )
    text = f"declares a latency of {traits.latency}; a change of the audio acts"
    promise(soonest <= traits.latency, case, f"{text} {soonest} samples later at the soonest")
    middle, field = sorted(usual)[len(usual) // 2], traits.receptive_field
    kept = field is None or middle < traits.latency + field
    promise(kept, case, f"{text} {middle} samples later, beyond the receptive field of {field}")
    # What learns may put its weight anywhere in its field.
    if traits.latency and not weights(module):
        _check_resemblance(case, item["audio"].values, before, traits.latency)
    return None


def _check_resemblance(case: ProcessorCase, audio: torch.Tensor, output: torch.Tensor, latency: int) -> None:
    source, answer = audio[:1].mean(1), output[:1].mean(1)
    size = 2 * source.shape[-1]
    product = torch.fft.rfft(answer, size) * torch.fft.rfft(source, size).conj()
    likeness = torch.fft.irfft(product, size).abs()[0, : latency + 1 + SAMPLES // 2]
    lag = int(likeness.argmax())
    least = latency - max(2, latency // 8)
    promise(
        lag >= least, case, f"declares a latency of {latency}; its output resembles the audio {lag} later"
    )


def check_receptive_field(case: ProcessorCase) -> str | None:
    """Check that a declared receptive field is the true one, to the sample, by gradients."""
    traits = case.spec.traits(case.surroundings)
    field = traits.receptive_field
    if field is None:
        return "it declares none, or an unbounded one"
    if not traits.differentiable:
        return "it has no gradient to measure it by"
    if traits.source or field > LONGEST_FIELD:
        return "it takes no audio" if traits.source else "it is too long to measure"
    # One item per output sample: what is held or decimated reaches back differently from each.
    items = 24 if field < 4096 else 2
    module = stirred(case, dtype=torch.float64)
    tracks = on_values(case.tracks(2 * field + 64, batch=items), torch.Tensor.double)
    oldest = max(_reaches(case, module, tracks))
    promise(oldest == field, case, f"declares a receptive field of {field} samples; {oldest} were measured")
    return None


def _reaches(case: ProcessorCase, module: torch.nn.Module, tracks: Tracks) -> list[int]:
    audio = tracks["audio"].values.requires_grad_()
    output = run(case, module, tracks)
    moments = [audio.shape[-1] - 33 - item for item in range(len(audio))]
    torch.stack([output[item, :, moment].sum() for item, moment in enumerate(moments)]).sum().backward()
    assert audio.grad is not None
    reach = audio.grad.abs().amax(dim=1)
    used = [(one > 1e-12 * reach.max()).nonzero().flatten() for one in reach]
    return [moment - int(one.min()) + 1 for moment, one in zip(moments, used, strict=True) if len(one)] or [0]

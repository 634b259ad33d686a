"""Checks of features: shape, times, silence, the same again."""

from __future__ import annotations

from typing import Any

import attrs
import torch

from fxkit.testing.check import promise
from fxkit.testing.plain import PlainCase, check_that_options_act, shown, tune

SECONDS = 0.5
SHIFT = 10


def check_frame_shape(case: PlainCase) -> None:
    """Check that there are `dims` values per frame and a frame at each hop, in float32, for any length.

    Of one channel and of two, and of fewer samples than one hop.
    """
    feature, dims = case.build(), int(case.spec.dims(case.ctx))
    for samples, channels in ((8000, 1), (4001, 2), (case.ctx.hop // 2, 1)):
        series = feature(tune(0.6, case.ctx.sample_rate, channels=channels)[:, :samples])
        expected = (dims, samples // case.ctx.hop + 1)
        text = f"yields {tuple(series.shape)} for {samples} samples, declares {expected}"
        promise(tuple(series.shape) == expected, case, text)
        promise(series.dtype == torch.float32, case, f"yields {series.dtype}")


def check_frame_times(case: PlainCase) -> None:
    """Check that frame k belongs to sample k * hop: audio that is moved by hops moves its frames as many."""
    feature, audio = case.build(), tune(SECONDS, case.ctx.sample_rate)
    series = feature(audio)
    moved = feature(torch.nn.functional.pad(audio, (SHIFT * case.ctx.hop, 0)))[:, SHIFT:]
    margin = series.shape[1] // 3
    inner, other = series[:, margin:-margin], moved[:, margin : series.shape[1] - margin]
    scale = series.abs().amax(dim=1, keepdim=True).clamp_min(1e-3)
    error = float(((inner - other).abs() / scale).max())
    promise(error <= 1e-2, case, f"differs by {error:.1e} of its peak when the audio is moved by whole hops")
    late = feature(torch.roll(audio, 4 * case.ctx.hop, dims=-1))[:, margin:-margin]
    promise(not torch.equal(late, inner), case, "yields the same whatever the audio is")


def check_feature_silence(case: PlainCase) -> None:
    """Check that silence, a click and full scale give finite values."""
    feature, rate = case.build(), case.ctx.sample_rate
    silence = torch.zeros(1, rate // 4)
    click = silence.clone()
    click[0, 1000] = 1.0
    for what, audio in (("silence", silence), ("a click", click), ("full scale", silence + 1.0)):
        promise(bool(feature(audio).isfinite().all()), case, f"is not finite on {what}")


def check_feature_repeatable(case: PlainCase) -> None:
    """Check that the same audio gives the same bits again, also from an extractor built anew."""
    audio = tune(SECONDS, case.ctx.sample_rate)
    feature = case.build()
    first = feature(audio.clone())
    promise(torch.equal(feature(audio), first), case, "yields other values on a second call")
    promise(torch.equal(case.build()(audio), first), case, "yields other values when rebuilt")
    promise(torch.equal(audio, tune(SECONDS, case.ctx.sample_rate)), case, "changes the audio it is given")


def check_feature_options(case: PlainCase) -> None:
    """Check that each option of the feature makes a difference."""
    audio = tune(SECONDS, case.ctx.sample_rate)
    noise = torch.randn(audio.shape, generator=torch.Generator().manual_seed(1))
    noisy = [audio + level * noise for level in (0.03, 0.06, 0.1, 0.2, 0.4)]
    varied = torch.cat((audio, 3e-4 * audio, torch.zeros_like(audio), audio[:, ::9], *noisy), dim=-1)

    def observe(spec: Any) -> Any:
        return shown(attrs.evolve(case, spec=spec).build()(varied))

    check_that_options_act(case, observe)

from __future__ import annotations

import auraloss
import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.values import Batch, Output
from fxkit_losses._resolution import Resolution, overlap_added
from fxkit_losses.multi_resolution_stft import MultiResolutionSTFT

SMALL = {"fft_sizes": (64, 32), "win_lengths": (48, 32), "hop_sizes": (12, 10)}


def signals(batch: int, channels: int = 1, samples: int = 4100) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    audio, other = (0.2 * torch.randn(batch, channels, samples, generator=draw) for _ in range(2))
    return audio, 0.7 * audio + 0.3 * other


def measured(spec: MultiResolutionSTFT, audio: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return spec.build(BuildContext())(Output(audio=audio), Batch(target=target))


def by_definition(spec: MultiResolutionSTFT, audio: np.ndarray, target: np.ndarray) -> float:
    """Measure one channel in float64, frame by frame: reflected ends, Hann windows, power floor 1e-8."""
    total = 0.0
    for size, length, hop in spec.resolutions:
        window = np.zeros(size)
        first = (size - length) // 2
        window[first : first + length] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
        magnitudes = []
        for signal in (audio, target):
            padded = np.pad(signal, size // 2, mode="reflect")
            starts = range(0, len(signal) + 1, hop)
            frames = [np.fft.rfft(window * padded[start : start + size]) for start in starts]
            magnitudes.append(np.sqrt(np.maximum(np.abs(frames) ** 2, 1e-8)))
        found, expected = magnitudes
        total += spec.convergence * np.linalg.norm(found - expected) / np.linalg.norm(expected)
        total += spec.log_magnitude * np.abs(np.log(found) - np.log(expected)).mean()
        total += spec.linear_magnitude * np.abs(found - expected).mean()
    return total / len(spec.resolutions)


def auraloss_in_float64() -> torch.nn.Module:
    peer = auraloss.freq.MultiResolutionSTFTLoss()
    for loss in peer.stft_losses:
        loss.window = loss.window.double()
    return peer


@pytest.mark.parametrize("channels", [1, 2])
def test_value_is_that_of_auraloss_at_batch_size_one(channels):
    audio, target = signals(1, channels)
    expected = auraloss.freq.MultiResolutionSTFTLoss()(audio, target).item()
    assert measured(MultiResolutionSTFT(), audio, target).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("channels", [1, 2])
def test_gradient_is_that_of_auraloss_at_batch_size_one(channels):
    # In float64: in float32 rounding decides the sign of some bins' log error, on either side.
    audio, target = (signal.double() for signal in signals(1, channels))
    audio.requires_grad_()
    (found,) = torch.autograd.grad(measured(MultiResolutionSTFT(), audio, target).sum(), audio)
    (expected,) = torch.autograd.grad(auraloss_in_float64()(audio, target), audio)
    assert float((found - expected).norm() / expected.norm()) < 1e-9


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"convergence": 0.0},
        {"log_magnitude": 0.0},
        {"convergence": 0.3, "log_magnitude": 2.0, "linear_magnitude": 0.7},
    ],
)
def test_value_follows_the_definition(weights):
    spec = MultiResolutionSTFT(**SMALL, **weights)
    audio, target = (signal.double() for signal in signals(1, samples=205))
    audio[..., 100:180] = 0.0
    expected = by_definition(spec, audio[0, 0].numpy(), target[0, 0].numpy())
    assert measured(spec, audio, target).item() == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("weights", [{}, {"convergence": 0.3, "log_magnitude": 2.0, "linear_magnitude": 0.7}])
@pytest.mark.parametrize("samples", [64, 101, 205])
def test_gradient_is_exact_at_every_sample(weights, samples):
    module = MultiResolutionSTFT(**SMALL, **weights).build(BuildContext())
    audio, target = (signal.double() for signal in signals(2, 2, samples))
    (found,) = torch.autograd.grad(
        (
            torch.tensor([1.0, -2.0]) * module(Output(audio=audio.requires_grad_()), Batch(target=target))
        ).sum(),
        audio,
    )
    for index in [(0, 0, 0), (0, 1, 1), (1, 0, 31), (1, 1, samples // 2), (1, 0, samples - 1)]:
        step = torch.zeros_like(audio)
        step[index] = 1e-7
        with torch.no_grad():
            ends = [module(Output(audio=audio + s * step), Batch(target=target))[index[0]] for s in (1, -1)]
        slope = float(ends[0] - ends[1]) / 2e-7 * (1.0, -2.0)[index[0]]
        assert float(found[index]) == pytest.approx(slope, rel=1e-4, abs=1e-7)


def test_each_item_counts_alone_where_auraloss_mixes_the_batch():
    audio, target = signals(2)
    loud = torch.cat((audio[:1], 100 * audio[1:])), torch.cat((target[:1], 100 * target[1:]))
    assert measured(MultiResolutionSTFT(), *loud)[0] == pytest.approx(
        measured(MultiResolutionSTFT(), audio[:1], target[:1]).item(), rel=1e-6
    )
    theirs = auraloss.freq.MultiResolutionSTFTLoss()
    apart = (theirs(audio[:1], target[:1]) + theirs(100 * audio[1:], 100 * target[1:])) / 2
    assert abs(theirs(*loud) - apart).item() > 1e-4


def test_windows_and_hops_follow_the_published_ones_in_any_order():
    assert MultiResolutionSTFT().resolutions == ((1024, 600, 120), (2048, 1200, 240), (512, 240, 50))
    sizes = (512, 1024, 2048)
    assert MultiResolutionSTFT(fft_sizes=sizes).resolutions == (
        (512, 240, 50),
        (1024, 600, 120),
        (2048, 1200, 240),
    )
    assert MultiResolutionSTFT(fft_sizes=(4096, 256)).resolutions == ((4096, 2400, 480), (256, 150, 30))


def test_a_segment_shorter_than_the_longest_fft_is_refused():
    audio, target = signals(1, samples=2047)
    with pytest.raises(AssemblyError, match=r"2047 samples are fewer .* 2048; raise data\.segment"):
        measured(MultiResolutionSTFT(), audio, target)
    assert measured(MultiResolutionSTFT(), *signals(1, samples=2048)).isfinite().all()


@pytest.mark.parametrize(
    ("options", "option", "complaint"),
    [
        ({"fft_sizes": ()}, "fft_sizes", "is empty"),
        ({"fft_sizes": (513,)}, "fft_sizes", "has 513, which is odd"),
        ({"hop_sizes": (64,)}, "hop_sizes", "has 1 values for 3 fft_sizes"),
        ({"win_lengths": (64, 64)}, "win_lengths", "has 2 values for 3 fft_sizes"),
        (
            {"fft_sizes": (512,), "win_lengths": (600,)},
            "win_lengths",
            "has 600, longer than its FFT size 512",
        ),
        ({"convergence": 0.0, "log_magnitude": 0.0}, "", "are all 0"),
    ],
)
def test_options_that_do_not_fit_together_are_named(options, option, complaint):
    spec = MultiResolutionSTFT(**options)
    ((name, text),) = spec.problems()
    assert name == option
    assert complaint in text
    with pytest.raises(ValueError, match=complaint):
        spec.build(BuildContext())


def test_options_that_fit_have_no_problems():
    assert not list(MultiResolutionSTFT(**SMALL).problems())


@pytest.mark.parametrize(
    ("size", "length", "hop", "samples"), [(32, 20, 7, 50), (16, 16, 16, 33), (32, 8, 11, 40)]
)
def test_the_adjoint_of_the_spectra_keeps_inner_products(size, length, hop, samples):
    resolution = Resolution(size, hop, torch.hann_window(length, dtype=torch.float64), 1e-8)
    signal = torch.randn(2, 1, samples, dtype=torch.float64)
    spectra = resolution(signal)
    other = torch.randn_like(spectra)
    forward = (torch.view_as_real(spectra) * torch.view_as_real(other)).sum()
    back = (signal * resolution.adjoint(other.clone(), samples)).sum()
    assert forward.item() == pytest.approx(back.item(), rel=1e-12)


@pytest.mark.parametrize(("length", "hop"), [(8, 3), (8, 4), (3, 8)])
def test_overlapping_frames_add_up(length, hop):
    frames = torch.randn(5, length, dtype=torch.float64)
    expected = torch.zeros(4 * hop + max(length, hop) + hop, dtype=torch.float64)
    for number, frame in enumerate(frames):
        expected[number * hop : number * hop + length] += frame
    found = overlap_added(frames, hop)
    assert torch.allclose(found, expected[: found.shape[-1]], atol=1e-15)
    assert not expected[found.shape[-1] :].any()

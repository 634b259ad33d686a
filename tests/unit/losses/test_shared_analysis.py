"""What several losses need of one target is made once for all of them."""

from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.engine.objective import measure
from fxkit.values import Batch, Output
from fxkit_losses._resolution import Resolution
from fxkit_losses.esr import ESR
from fxkit_losses.filtered import Filtered
from fxkit_losses.mel_stft import MelSTFT
from fxkit_losses.multi_resolution_stft import MultiResolutionSTFT
from fxkit_losses.multi_scale_spectral import MultiScaleSpectral
from fxkit_losses.stft import STFT
from fxkit_losses.sum_difference import SumDifference
from fxkit_signal.weighting import AWeighting

CTX = BuildContext(sample_rate=16000, target_channels=2)


def signals(dtype):
    draw = torch.Generator().manual_seed(0)
    audio, other = (0.2 * torch.randn(2, 2, 4096, generator=draw, dtype=dtype) for _ in range(2))
    return audio, 0.7 * audio + 0.3 * other


@pytest.fixture
def analysed(monkeypatch):
    """Return a list of the signals that are framed."""
    found = []
    framed = Resolution.framed
    monkeypatch.setattr(Resolution, "framed", lambda self, x: found.append(x) or framed(self, x))
    return found


def together(specs, audio, target):
    batch = Batch(target=target)
    return [spec.build(CTX)(Output(audio=audio), batch).tolist() for spec in specs]


def apart(specs, audio, target):
    return [spec.build(CTX)(Output(audio=audio), Batch(target=target)).tolist() for spec in specs]


COMBINATIONS = [
    # Three published resolutions, and six scales of which the mel bands' is one.
    ((MultiResolutionSTFT(), MelSTFT(fft_size=1024), MultiScaleSpectral()), 9),
    # Other floors, bands, weights and terms need no spectra of their own; another hop does.
    ((STFT(), STFT(floor=-60.0), MelSTFT(bands=20), MelSTFT(bands=40), STFT(log_magnitude=0.1)), 1),
    ((STFT(), STFT(hop_size=128)), 2),
    ((STFT(), STFT(window="hamming")), 2),
    # Behind one filter there is one filtered target; ahead of it another.
    ((Filtered(inner=STFT()), Filtered(inner=MelSTFT()), STFT()), 2),
    ((Filtered(inner=STFT()), Filtered(inner=STFT(), coefficient=0.5)), 2),
    # A sum and a difference, for both.
    ((SumDifference(inner=STFT()), SumDifference(inner=MelSTFT())), 2),
]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("specs", "count"), COMBINATIONS)
def test_the_target_is_framed_once_for_all_that_frame_it_alike(specs, count, dtype, analysed):
    audio, target = signals(dtype)
    values = together(specs, audio, target)
    outputs = sum(len(getattr(spec.build(CTX), "resolutions", ())) or 1 for spec in specs)
    outputs += sum(isinstance(spec, SumDifference) for spec in specs)
    assert len(analysed) - outputs == count
    for value, expected in zip(values, apart(specs, audio, target), strict=True):
        assert value == pytest.approx(expected, rel=1e-6 if dtype == torch.float32 else 1e-12)


def test_the_target_is_filtered_once_for_all_losses_behind_one_filter(monkeypatch):
    filtered = []
    run = AWeighting.__call__
    monkeypatch.setattr(
        AWeighting, "__call__", lambda self, audio, state=None: filtered.append(audio) or run(self, audio)
    )
    audio, target = signals(torch.float32)
    together([Filtered(inner=inner, filter="a-weighting") for inner in (ESR(), STFT())], audio, target)
    assert sum(signal is target for signal in filtered) == 1
    assert sum(signal is audio for signal in filtered) == 2


def test_nothing_is_shared_beyond_one_measurement(analysed):
    from fxkit.engine.objective import build_terms
    from fxkit.experiment.reader import read_document

    document = {
        "fxkit": 1,
        "data": {"type": "virtual-device", "segment": 4096},
        "nodes": {"amp": {"type": "lstm", "hidden": 4}},
        "model": {"chain": ["amp"]},
        "losses": {"one": {"type": "stft"}, "two": {"type": "mel-stft"}},
        "train": {"steps": 2, "optimizer": {"type": "adam"}},
    }
    experiment = read_document(document, "made-up.toml")
    terms = build_terms(experiment.losses, experiment.metrics, CTX)
    audio, target = signals(torch.float32)
    batch = Batch(target=target)
    for _ in range(2):
        measure(terms, Output(audio=audio), batch)
    assert len(analysed) == 2 * 3

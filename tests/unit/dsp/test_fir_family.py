"""Filters by taps: free, decaying, from a file, and of minimum phase."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit_dsp.cabinet_ir import CabinetIR
from fxkit_dsp.fir import FIR
from fxkit_dsp.learned_ir import LearnedIR
from fxkit_dsp.minimum_phase_fir import MinimumPhaseFIR

CONTEXT = BuildContext()
STEREO = BuildContext(channels=2, target_channels=2)


def convolved(audio, taps):
    rows = [np.convolve(row, taps)[: len(row)] for row in audio[0].double().numpy()]
    return torch.from_numpy(np.stack(rows))[None]


def test_a_fresh_fir_changes_nothing():
    audio = torch.randn(2, 2, 300)
    assert torch.allclose(FIR().build(CONTEXT)(audio, {})[0], audio, atol=1e-6)


def test_separate_channels_have_taps_of_their_own():
    assert FIR(separate=True).build(STEREO).taps.shape == (2, 64)
    assert FIR().build(STEREO).taps.shape == (1, 64)


def test_a_fir_learns_a_device():
    draw = torch.Generator().manual_seed(1)
    device = torch.randn(16, generator=draw) * 0.7 ** torch.arange(16)
    audio = torch.randn(1, 1, 2000, generator=draw)
    target = convolved(audio, device.double().numpy()).float()
    module = FIR(taps=16).build(CONTEXT)
    optimizer = torch.optim.LBFGS(module.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def step():
        optimizer.zero_grad()
        loss = (module(audio, {})[0] - target).square().mean()
        loss.backward()
        return loss

    optimizer.step(step)
    assert torch.allclose(module.taps[0], device, atol=1e-3)


def test_a_learned_ir_starts_faint_beside_the_dry_signal_and_decays():
    torch.manual_seed(0)
    module = LearnedIR(length=50, decay=50, level=-20).build(CONTEXT)
    audio = torch.randn(1, 1, 20000)
    wet = module(audio, {})[0].detach() - audio
    assert float(20 * (wet[..., 3000:].std() / audio.std()).log10()) == pytest.approx(-20, abs=1)
    taps = (module.weights * module.envelope)[0].detach()
    fall = 20 * (taps[:240].square().mean() / taps[-240:].square().mean()).log10() / 2
    assert float(fall) == pytest.approx(54, abs=3)


def write(path: Path, samples, rate: int = 48000) -> Path:
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


def test_a_cabinet_is_the_file(tmp_path):
    response = np.random.default_rng(1).normal(size=500) * 0.99 ** np.arange(500)
    spec = CabinetIR(path=write(tmp_path / "cab.wav", response), normalise=False)
    audio = torch.randn(1, 2, 900)
    expected = convolved(audio, response)
    assert torch.allclose(spec.build(STEREO)(audio, {})[0].double(), expected, atol=1e-4)
    assert not list(spec.build(STEREO).parameters())
    assert "taps" in spec.build(STEREO).state_dict()


def test_a_cabinet_of_another_rate_keeps_its_gain_at_every_frequency(tmp_path):
    rate = 44100
    taps = np.arange(2000)
    response = np.exp(-taps / 60) * np.sin(2 * np.pi * 2000 / rate * taps)
    path = write(tmp_path / "cab.wav", response, rate)
    found = CabinetIR(path=path, normalise=False).build(CONTEXT).taps[0].double().numpy()
    for hertz in (100, 2000, 8000):
        there = abs(np.sum(response * np.exp(-2j * np.pi * hertz / rate * taps)))
        here = abs(np.sum(found * np.exp(-2j * np.pi * hertz / 48000 * np.arange(len(found)))))
        assert here == pytest.approx(there, rel=2e-3, abs=0.01)


def test_normalising_keeps_the_level_of_noise_and_learning_starts_from_the_file(tmp_path):
    path = write(tmp_path / "cab.wav", 7 * np.random.default_rng(1).normal(size=(300, 2)))
    module = CabinetIR(path=path, learn=True).build(CONTEXT)
    assert float(module.taps.detach().square().sum()) == pytest.approx(1, abs=1e-5)
    assert module.taps.requires_grad
    assert CabinetIR(path=path).build(STEREO).taps.shape == (2, 300)


def test_a_cut_response_is_faded(tmp_path):
    spec = CabinetIR(path=write(tmp_path / "cab.wav", np.ones(4800)), length=50, normalise=False)
    taps = spec.build(CONTEXT).taps[0]
    assert taps.shape == (2400,)
    assert float(taps[2000]) == 1
    assert float(taps[-1]) <= 0.001


@pytest.mark.parametrize(("name", "content"), [("no.wav", None), ("text.wav", b"hello"), ("quiet.wav", 0.0)])
def test_an_unusable_file_is_one_line(tmp_path, name, content):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        write(path, np.full(100, content))
    spec = CabinetIR(path=path)
    with pytest.raises(AssemblyError) as caught:
        spec.build(CONTEXT)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [name for name, _ in spec.problems()] == ([] if path.is_file() else ["path"])


def spectrum(module, params, hertz):
    impulse = torch.zeros(1, 1, 4096)
    impulse[..., 0] = 1
    response = module(impulse, params)[0][0, 0].double().numpy()
    time = np.arange(4096) / 48000
    return [20 * math.log10(abs(np.sum(response * np.exp(-2j * np.pi * f * time)))) for f in hertz]


def test_minimum_phase_gains_stand_at_their_bands():
    spec = MinimumPhaseFIR(bands=5, taps=2048, lowest=100)
    centres = [100 * 240 ** (band / 4) for band in range(5)]
    gains = torch.tensor([[[3.0], [-6.0], [9.0], [0.0], [6.0]]])
    found = spectrum(spec.build(CONTEXT), {"gain_db": gains}, [20.0, *centres])
    assert found == pytest.approx([3, 3, -6, 9, 0, 6], abs=0.6)


def test_a_flat_minimum_phase_filter_changes_nothing():
    audio = torch.randn(1, 2, 500)
    found, _ = MinimumPhaseFIR().build(CONTEXT)(audio, {"gain_db": torch.zeros(1, 24, 1)})
    assert torch.allclose(found, audio, atol=1e-6)


def test_new_gains_in_place_are_heard():
    """What is remembered of the design must not outlive the values that it was made of."""
    module, gains = MinimumPhaseFIR().build(CONTEXT), torch.zeros(1, 24, 1)
    audio = torch.randn(1, 1, 100)
    with torch.no_grad():
        module(audio, {"gain_db": gains})
        gains += 20
        assert torch.allclose(module(audio, {"gain_db": gains})[0], 10 * audio, atol=1e-4)

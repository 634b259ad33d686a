"""Compressor, expander, gate, limiter and normaliser do what a loop over samples does."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit_dsp.compressor import Compressor
from fxkit_dsp.expander import Expander
from fxkit_dsp.gate import Gate
from fxkit_dsp.limiter import Limiter
from fxkit_dsp.loudness_normaliser import LoudnessNormaliser

RATE = 48000


def build(spec, channels=1):
    return spec.build(BuildContext(sample_rate=RATE, channels=channels))


def params(spec, batch=1, **changes):
    declared = {p.name: p.default for p in spec.parameters(BuildContext(sample_rate=RATE))}
    assert set(changes) <= set(declared)
    values = {**declared, **changes}
    return {name: torch.full((batch, 1, 1), float(value)) for name, value in values.items()}


def noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def sine(level_db, seconds=0.5, frequency=997.0):
    time = torch.arange(round(seconds * RATE), dtype=torch.float64) / RATE
    return (10 ** (level_db / 20) * torch.sin(2 * math.pi * frequency * time)).float()[None, None]


def peak_db(audio):
    return 20 * audio[..., audio.shape[-1] // 2 :].abs().max().log10().item()


def coefficient(milliseconds):
    return math.exp(-1000 / (milliseconds * RATE))


def test_a_compressor_of_amplitudes_is_that_of_a_loop():
    """Ballistics on the magnitude and a hard knee, as in JUCE's dsp::Compressor."""
    spec, audio = Compressor(smoothing="level"), 0.5 * noise(1, 1, 2000)
    setting = params(spec, threshold_db=-20, ratio=4, knee_db=0, attack_ms=0.5, release_ms=10, makeup_db=6)
    found, _ = build(spec)(audio, setting)
    envelope, expected = 0.0, []
    for x in audio.flatten().tolist():
        c = coefficient(0.5 if abs(x) > envelope else 10)
        envelope = abs(x) + c * (envelope - abs(x))
        gain = (envelope / 0.1) ** (1 / 4 - 1) if envelope > 0.1 else 1.0
        expected.append(x * gain * 10 ** (6 / 20))
    assert found.flatten().tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("topology", ["feed-forward", "feed-back"])
@pytest.mark.parametrize("detector", ["peak", "rms"])
def test_a_steady_sine_comes_out_as_the_static_curve_says(topology, detector):
    spec = Compressor(topology=topology, detector=detector)
    times = {"attack_ms": 0.01, "release_ms": 2000.0}
    if detector == "rms":
        times = {"attack_ms": 1.0, "release_ms": 50.0, "average_ms": 50.0}
    found, _ = build(spec)(sine(-6), params(spec, threshold_db=-26, ratio=4, knee_db=0, **times))
    level = -6 - 3.01 * (detector == "rms")
    # Fed back, the level that counts is the output's: the loop settles where in - out = slope (out - T).
    slope = 0.75 if topology == "feed-forward" else 0.75 / 1.75
    assert peak_db(found) == pytest.approx(-6 - slope * (level + 26), abs=0.2)


def test_nothing_below_the_knee_is_changed():
    spec, audio = Compressor(), sine(-40)
    found, _ = build(spec)(audio, params(spec, threshold_db=-30))
    assert torch.equal(found, audio)


def test_mix_of_nothing_is_the_dry_signal():
    spec, audio = Compressor(), noise(1, 1, 500)
    assert torch.equal(build(spec)(audio, params(spec, mix=0, makeup_db=9))[0], audio)


@pytest.mark.parametrize(("link", "same"), [("max", True), ("mean", True), ("none", False)])
def test_linked_channels_share_their_gain(link, same):
    spec = Compressor(link=link)
    audio = noise(1, 2, 1000) * torch.tensor([1.0, 0.1])[:, None]
    gain = (build(spec, 2)(audio, params(spec))[0] / audio)[0]
    assert torch.allclose(gain[0], gain[1]) == same


def test_equal_channels_are_compressed_as_one_is():
    for link in ("max", "mean", "none"):
        spec, audio = Compressor(link=link, detector="rms"), noise(1, 1, 1000)
        one, _ = build(spec)(audio, params(spec))
        both, _ = build(spec, 2)(audio.expand(-1, 2, -1), params(spec))
        assert torch.allclose(both, one.expand(-1, 2, -1), atol=1e-6)


@pytest.mark.parametrize("plugin", [Compressor, Expander, Gate])
def test_a_side_chain_rules_the_gain(plugin):
    spec, audio = plugin(sidechain=True), noise(1, 1, 4000)
    module, setting = build(spec), params(spec, threshold_db=-20)
    loud, _ = module(audio, setting, sidechain=noise(1, 1, 4000, seed=1))
    quiet, _ = module(audio, setting, sidechain=1e-4 * noise(1, 1, 4000, seed=1))
    smaller, larger = (loud, quiet) if plugin is Compressor else (quiet, loud)
    assert smaller.norm() < 0.5 * larger.norm()


@pytest.mark.parametrize("plugin", [Compressor, Expander, Gate])
def test_a_side_chain_may_have_other_channels(plugin):
    for link in ("max", "none"):
        spec = plugin(sidechain=True, link=link)
        for audio, heard in ((1, 2), (2, 1), (2, 3)):
            found, _ = build(spec, audio)(noise(1, audio, 50), params(spec), sidechain=noise(1, heard, 50))
            assert found.shape == (1, audio, 50)


@pytest.mark.parametrize("smoothing", ["level", "gain"])
def test_training_finds_the_settings_of_a_compressor(smoothing):
    spec = Compressor(smoothing=smoothing)
    # Plucks from loud to quiet: threshold, ratio and make-up gain can be told apart.
    plucks = torch.exp(-(torch.arange(6000) % 1500) / 300) * torch.logspace(-1.5, 0, 4)[:, None, None]
    module, audio = build(spec), 0.5 * noise(4, 1, 6000) * plucks
    wanted = {"threshold_db": -36.0, "ratio": 8.0, "attack_ms": 0.5, "release_ms": 10.0, "makeup_db": 10.0}
    target, _ = module(audio, params(spec, **wanted))
    declared = spec.parameters(BuildContext(sample_rate=RATE))
    logits = {p.name: torch.logit(torch.tensor(p.to_normalised(p.default)), 1e-3) for p in declared}
    for logit in logits.values():
        logit.requires_grad_()
    optimizer = torch.optim.Adam(logits.values(), lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 200)
    for _ in range(200):
        physical = {p.name: p.to_physical(torch.sigmoid(logits[p.name])).view(1, 1, 1) for p in declared}
        error = (module(audio, physical)[0] - target)[..., 500:].square().mean() / target.square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        schedule.step()
    assert error.item() < 5e-4
    for name in ("threshold_db", "attack_ms", "release_ms"):
        assert physical[name].item() == pytest.approx(wanted[name], rel=0.2)


def test_a_side_chain_and_feedback_exclude_each_other():
    assert [option for option, _ in Compressor(topology="feed-back", sidechain=True).problems()] == [
        "sidechain"
    ]


def test_an_expander_lowers_what_is_quiet_down_to_its_range():
    spec = Expander(smoothing="level")
    setting = {"threshold_db": -30, "ratio": 3, "knee_db": 0, "attack_ms": 0.01, "release_ms": 2000}
    for level, expected in ((-20, -20), (-35, -45), (-60, -80)):
        found, _ = build(spec)(sine(level), params(spec, range_db=20, **setting))
        assert peak_db(found) == pytest.approx(expected, abs=0.5)


def test_a_gate_is_that_of_a_loop():
    spec = Gate()
    fade = torch.linspace(0, 20, 6000).sin()
    audio = 0.1 * noise(1, 1, 6000) * fade
    setting = params(spec, threshold_db=-20, hysteresis_db=3, hold_ms=5, range_db=40, ratio=5)
    found, _ = build(spec)(audio, setting)
    on, waited, less, expected, seen = False, math.inf, 40.0, [], set()
    for x in audio.flatten().tolist():
        level = 20 * math.log10(max(abs(x), 1e-6))
        on = level > -20 or (on and level >= -23)
        waited = 0 if on else waited + 1
        seen.add(waited <= 240)
        wanted = 0.0 if waited <= 240 else min(4 * max(-20 - level, 0), 40)
        c = coefficient(100 if wanted > less else 0.5)
        less = wanted + c * (less - wanted)
        expected.append(x * 10 ** (-less / 20))
    assert found.flatten().tolist() == pytest.approx(expected, abs=1e-6)
    assert {True, False} == seen


def test_a_gate_learns_its_threshold_from_what_it_lets_through():
    spec, audio = Gate(), 0.05 * noise(1, 1, 3000)
    setting = params(spec, threshold_db=-10)
    setting["threshold_db"].requires_grad_()
    build(spec)(audio, setting)[0].square().sum().backward()
    assert setting["threshold_db"].grad.abs().item() > 1e-6


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    drive=st.floats(-12, 36),
    ceiling=st.floats(-30, 0),
    release=st.floats(1, 500),
    lookahead=st.sampled_from([0.0, 0.1, 1.0, 2.0, 7.3]),
    channels=st.integers(1, 2),
)
def test_nothing_leaves_a_limiter_above_the_ceiling(seed, drive, ceiling, release, lookahead, channels):
    spec = Limiter(lookahead=lookahead)
    audio = noise(1, channels, 3000, seed=seed) ** 3
    setting = params(spec, drive_db=drive, ceiling_db=ceiling, release_ms=release)
    found, _ = build(spec, channels)(audio, setting)
    highest = torch.tensor(10 ** (ceiling / 20)).float() * (1 + 1e-6)
    assert found.abs().max() <= highest


@pytest.mark.parametrize("link", ["max", "none"])
def test_a_limiter_needs_no_clipping_to_keep_its_promise(link):
    """The gain alone keeps the ceiling: output over delayed input is smooth, not clipped."""
    spec = Limiter(lookahead=2.0, link=link)
    audio = noise(1, 2, 6000).double() ** 3
    setting = {name: value.double() for name, value in params(spec, drive_db=12, ceiling_db=-6).items()}
    found, _ = build(spec, 2)(audio, setting)
    late = torch.nn.functional.pad(audio, (96, 0))[..., :6000] * 10 ** (12 / 20)
    gain_db = 20 * (found / late)[..., 96:].abs().log10()
    # A full ramp over 96 samples: no step is steeper than the deepest reduction over its length.
    steepest = gain_db.diff(dim=-1).abs().max()
    assert steepest <= gain_db.abs().max() / 96
    assert 20 * found.abs().max().log10() == pytest.approx(-6, abs=1e-3)


def test_a_limiter_passes_what_is_quiet_late_and_untouched():
    spec, audio = Limiter(lookahead=1.0), 0.1 * torch.tanh(noise(1, 1, 500))
    found, _ = build(spec)(audio, params(spec))
    assert spec.traits(BuildContext(sample_rate=RATE)).latency == 48
    assert torch.equal(found[..., 48:], audio[..., :-48])
    assert not found[..., :48].any()


@pytest.mark.parametrize("level", [-30, -14])
def test_a_normaliser_brings_a_sine_to_its_target(level):
    spec = LoudnessNormaliser()
    found, _ = build(spec)(sine(level, seconds=4), params(spec, target=-20, time_ms=300))
    # A full-scale sine of 997 Hz has -3.01 LUFS.
    assert peak_db(found) == pytest.approx(-20 + 3.01, abs=0.1)


def test_a_normaliser_keeps_its_gain_through_silence():
    spec = LoudnessNormaliser()
    audio = torch.cat((sine(-30, 3), torch.zeros(1, 1, 4 * RATE), sine(-30, 0.02)), dim=-1)
    found, _ = build(spec)(audio, params(spec, target=-20, time_ms=200))
    last = slice(-round(0.01 * RATE), None)
    assert (found / audio)[..., last].abs().median().log10().item() * 20 > 8


def test_a_normaliser_starts_at_no_gain_and_stays_in_range():
    spec, audio = LoudnessNormaliser(), sine(-60, seconds=3)
    found, _ = build(spec)(audio, params(spec, target=-10, range_db=6, time_ms=100))
    gain = (found / audio)[0, 0]
    assert gain[1].item() == pytest.approx(1.0, abs=0.01)
    assert gain[100:].nanquantile(0.999).item() <= 10 ** (6 / 20) * 1.001

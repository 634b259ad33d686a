"""Responses of models are those of what they are made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import fxkit
from fxkit.errors import RunError
from fxkit.inspection.response import ResponseMeter, frequency_response
from fxkit.inspection.subject import open_subject

LEVELS = (-20.0,)


def build(*members):
    return fxkit.Model.chain(*members).build()


def measure(*members, **options):
    return frequency_response(build(*members), levels=LEVELS, seconds=0.5, **options)


class Module(torch.nn.Module):
    """Stand in for a processor: any function of the audio."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, audio, params, state=None):
        return self.function(audio), state


class Echo(torch.nn.Module):
    """Add the input half as loud, `lag` samples later."""

    def __init__(self, lag):
        super().__init__()
        self.lag = lag

    def forward(self, audio, params, state=None):
        past = audio.new_zeros(*audio.shape[:-1], self.lag) if state is None else state
        heard = torch.cat([past, audio], dim=-1)
        return audio + 0.5 * heard[..., : audio.shape[-1]], heard[..., audio.shape[-1] :]


def replaced(function, *members):
    """Return a model whose first node does `function` instead."""
    model = build(*(members or (fxkit.node("gain"),)))
    model.nodes[next(iter(model.nodes))] = Module(function)
    return model


def test_a_gain_is_flat_in_every_measurement():
    response = measure(fxkit.node("gain", parameters={"gain_db": {"fixed": -6.0}}))
    assert response.frequencies[0] == 20.0
    assert response.frequencies[-1] == pytest.approx(24000.0)
    small, swept = response.whole.small, response.whole.swept[0]
    assert np.abs(small.magnitude_db + 6).max() < 1e-3
    assert np.abs(small.phase).max() < 1e-4
    assert np.abs(small.group_delay).max() < 1e-8
    assert np.abs(swept.magnitude_db + 6).max() < 0.01
    assert np.nanmax(swept.harmonics_db) < -60
    assert response.notes == ()


def test_bias_and_even_terms_do_not_show_in_the_small_signal_response():
    model = replaced(lambda audio: 0.3 + 0.5 * audio + 50 * audio**2)
    small = frequency_response(model, levels=LEVELS, seconds=0.5).whole.small
    assert np.abs(small.magnitude_db - 20 * np.log10(0.5)).max() < 0.01


def test_a_polynomial_has_its_harmonics_and_distortion_at_each_level():
    model = replaced(lambda audio: audio + 0.2 * audio**3)
    response = frequency_response(model, levels=(-20.0, -6.0), seconds=1.0)
    for swept in response.whole.swept:
        amplitude = 10 ** (swept.level / 20)
        third = 0.05 * amplitude**2
        assert response.at(swept.magnitude_db, 1000) == pytest.approx(20 * np.log10(1 + 3 * third), abs=0.01)
        assert response.at(swept.harmonics_db[1], 1000) == pytest.approx(20 * np.log10(third), abs=0.05)
        assert response.at(swept.distortion, 1000) == pytest.approx(third / (1 + 3 * third), rel=0.01)
    assert response.figures()["thd_1khz_-6dbfs"] > response.figures()["thd_1khz_-20dbfs"]


def test_latency_is_cut_off_and_a_delay_that_is_none_shows_as_group_delay():
    late = measure(fxkit.node("limiter"))
    assert build(fxkit.node("limiter")).latency > 0
    assert np.abs(late.whole.small.group_delay).max() < 1e-6
    echo = replaced(lambda audio: torch.nn.functional.pad(audio, (48, 0))[..., : audio.shape[-1]])
    small = frequency_response(echo, levels=LEVELS, seconds=0.5).whole.small
    assert np.allclose(small.group_delay, 1e-3, atol=1e-6)
    expected = -2 * np.pi * late.frequencies * 1e-3
    assert np.allclose(small.phase, expected, atol=0.01)


def test_what_comes_late_is_measured_though_impulses_are_short_for_others():
    lag = round(0.4 * 48000)
    late = build(fxkit.node("gain", name="first"), fxkit.node("gain", name="second"))
    late.nodes[list(late.nodes)[1]] = Echo(lag)
    response = frequency_response(late, levels=LEVELS, seconds=0.5)
    small = response.whole.small
    assert len(small.impulse) > lag
    assert small.impulse[lag] == pytest.approx(0.5, abs=1e-5)
    expected = np.abs(1 + 0.5 * np.exp(-2j * np.pi * response.frequencies * 0.4))
    assert np.allclose(10 ** (small.magnitude_db / 20), expected, atol=1e-4)
    alone = [node.alone.small for node in response.nodes.values()]
    assert [len(one.impulse) > lag for one in alone] == [False, True]


def test_a_meter_gives_the_same_bits_again_and_again():
    model = build(fxkit.node("low-pass"), fxkit.node("tanh"))
    meter = ResponseMeter(48000, LEVELS, 0.5)
    first, again = meter.measure(model), meter.measure(model)
    fresh = frequency_response(model, levels=LEVELS, seconds=0.5)
    for other in (again, fresh):
        assert np.array_equal(first.whole.small.phase, other.whole.small.phase)
        assert np.array_equal(
            first.whole.swept[0].harmonics_db, other.whole.swept[0].harmonics_db, equal_nan=True
        )


def test_each_node_is_measured_alone_and_as_far_as_the_chain_has_come():
    low = fxkit.node("low-pass", name="low", parameters={"frequency": {"fixed": 500.0}})
    high = fxkit.node("high-pass", name="high", parameters={"frequency": {"fixed": 2000.0}})
    response = measure(low, high)
    first, second = response.nodes["low"], response.nodes["high"]
    assert first.alone is first.through
    alone = first.alone.small.magnitude_db + second.alone.small.magnitude_db
    heard = alone > -70
    assert np.allclose(alone[heard], second.through.small.magnitude_db[heard], atol=0.05)
    assert np.allclose(second.through.small.magnitude_db, response.whole.small.magnitude_db, atol=1e-6)


def test_alone_a_node_stands_as_its_controller_holds_it_in_silence():
    model = open_subject("compressor-follower").model
    with torch.no_grad():
        for weight in model.controller("gain.controller").parameters():
            weight.add_(0.5)
    response = frequency_response(model, levels=(0.0,), seconds=0.5)
    node = response.nodes["gain"]
    alone, through = node.alone.swept[0].magnitude_db, node.through.swept[0].magnitude_db
    assert np.abs(alone - node.alone.small.magnitude_db).max() < 0.05
    assert np.abs(alone - through).max() > 0.5
    assert any("moving parameters (gain.gain_db)" in note for note in response.notes)


def test_the_band_ends_where_the_gain_is_3_db_below_its_peak():
    response = measure(fxkit.node("low-pass", parameters={"frequency": {"fixed": 1000.0}}))
    figures = response.figures()
    assert figures["low_3db_hz"] == 20.0
    magnitude = np.interp(
        np.log(figures["high_3db_hz"]), np.log(response.frequencies), response.whole.small.magnitude_db
    )
    assert magnitude == pytest.approx(response.whole.small.magnitude_db.max() - 3, abs=0.05)


def test_knobs_stand_in_the_middle_unless_they_are_given():
    model = open_subject("compressor-knob").model
    assert list(frequency_response(model, levels=LEVELS, seconds=0.5).knobs.values()) == [0.5]
    given = frequency_response(model, knobs=torch.tensor([0.25]), levels=LEVELS, seconds=0.5)
    assert list(given.knobs.values()) == [0.25]
    with pytest.raises(RunError, match=r"the model has 1 knob\(s\)"):
        frequency_response(model, knobs=torch.tensor([0.1, 0.2]))


def test_effects_that_change_over_time_are_told_as_such():
    flanger = measure(fxkit.node("chorus"))
    assert flanger.drift_db > 0.5
    assert any("changes over time" in note for note in flanger.notes)


@pytest.mark.parametrize("name", ["harmonic-synth"])
def test_models_that_play_by_themselves_are_refused_with_the_reason(name):
    with pytest.raises(RunError, match="has no response"):
        frequency_response(open_subject(name).model)


def test_nothing_is_disturbed():
    model = build(fxkit.node("lstm"), fxkit.node("gain"))
    model.train()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    frequency_response(model, levels=LEVELS, seconds=0.5)
    assert torch.equal(torch.rand(2), expected)
    assert model.training
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    model(torch.rand(1, 1, 100)).audio.sum().backward()


def test_the_same_model_gives_the_same_bits():
    model = build(fxkit.node("lstm"))
    first, second = (frequency_response(model, levels=LEVELS, seconds=0.5) for _ in range(2))
    assert np.array_equal(first.whole.small.magnitude_db, second.whole.small.magnitude_db)
    assert np.array_equal(
        first.whole.swept[0].harmonics_db, second.whole.swept[0].harmonics_db, equal_nan=True
    )


def test_two_channels_are_driven_alike_and_the_first_is_measured():
    model = fxkit.Model.chain(fxkit.node("gain")).build(channels=2)
    response = frequency_response(model, levels=LEVELS, seconds=0.5)
    assert np.abs(response.whole.small.magnitude_db).max() < 1e-3

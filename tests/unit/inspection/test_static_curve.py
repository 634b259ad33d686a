"""Input/output curves are those of what a model is made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import fxkit
from fxkit.errors import RunError
from fxkit.inspection.static_curve import static_curve
from fxkit.inspection.subject import open_subject


class Module(torch.nn.Module):
    """Stand in for a processor: any function of the audio."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, audio, params, state=None):
        return self.function(audio), state


def replaced(**functions):
    """Return a chain of gains, of which each does a function instead."""
    model = fxkit.Model.chain(*(fxkit.node("gain", name=name) for name in functions)).build()
    for name, function in functions.items():
        model.nodes[next(key for key in model.nodes if key.endswith(name))] = Module(function)
    return model


def test_both_branches_of_a_memoryless_device_are_its_curve():
    curve = static_curve(replaced(one=lambda audio: torch.tanh(2 * audio) + 0.1))
    for loop in curve.whole:
        assert np.abs(loop.input).max() == pytest.approx(10 ** (loop.level / 20), rel=1e-6)
        for x, y in (loop.rising, loop.falling):
            assert np.allclose(y, np.tanh(2 * x) + 0.1, atol=1e-6)
        assert loop.hysteresis < 1e-6
    assert np.all(np.diff(curve.whole[0].rising[0]) > 0)
    assert np.all(np.diff(curve.whole[0].falling[0]) < 0)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
def test_a_delay_opens_the_loop_by_the_sine_of_its_phase(rate):
    model = fxkit.Model.chain(fxkit.node("gain")).build(sample_rate=rate)
    samples = rate // 1000
    model.nodes[next(iter(model.nodes))] = Module(
        lambda audio: torch.cat([torch.zeros_like(audio[..., :samples]), audio[..., :-samples]], dim=-1)
    )
    curve = static_curve(model, frequency=50.0)
    phase = 2 * np.pi * curve.frequency * samples / rate
    # Output at phase t - p: the branches differ by 2 sin(p) cos-shaped, over a height of 2.
    assert curve.whole[-1].hysteresis == pytest.approx(np.sin(phase), rel=0.02)


def test_nodes_are_told_apart_into_lines_shapers_and_those_with_memory():
    low = fxkit.node("low-pass", name="low", parameters={"frequency": {"fixed": 200.0}})
    model = fxkit.Model.chain(fxkit.node("gain", name="line"), fxkit.node("tanh", name="shaper"), low).build()
    curve = static_curve(model)
    kinds = {name: (node.memoryless, node.straight) for name, node in curve.nodes.items()}
    assert kinds["line"] == (True, True)
    assert kinds["shaper"] == (True, False)
    assert not kinds["low"][0]
    assert list(curve.shapers) == ["shaper"]
    assert curve.figures()["hysteresis_0dbfs"] > 0.1


def test_a_device_that_turns_down_what_is_loud_is_not_memoryless():
    curve = static_curve(open_subject("compressor").model)
    assert not curve.nodes["compressor"].memoryless


def test_silence_has_no_hysteresis():
    assert static_curve(replaced(one=torch.zeros_like)).figures()["hysteresis_0dbfs"] == 0.0


def test_models_that_play_by_themselves_are_refused():
    with pytest.raises(RunError, match="has no response"):
        static_curve(open_subject("harmonic-synth").model)

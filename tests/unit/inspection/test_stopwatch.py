"""`fxkit bench` measures the stream that a host would run."""

from __future__ import annotations

import pytest
import torch

import fxkit
from fxkit.adapters import as_module
from fxkit.inspection.stopwatch import measure, sawtooth
from fxkit.inspection.subject import Subject, open_subject


def _subject(*members):
    model = fxkit.Model.chain(*members)
    network = model.build()
    return Subject(source="test", stands="as it starts", experiment=model._blueprint({}), model=network)


def test_the_real_time_factor_is_audio_over_computing_time():
    timing = measure(_subject(fxkit.node("gain")), block=480, seconds=0.5)
    assert timing.block_ms == pytest.approx(10.0)
    assert timing.median_ms <= timing.slow_ms
    # The mean block lies between half the median and the slowest.
    assert 1 / timing.real_time <= timing.slow_ms / timing.block_ms * 2


def test_the_costly_node_has_the_larger_share():
    timing = measure(_subject(fxkit.node("gain"), fxkit.node("lstm", hidden=64)), block=256, seconds=0.5)
    assert timing.nodes["lstm"] > timing.nodes["gain"]
    assert sum(timing.nodes.values()) < 1.0


def test_a_model_that_plays_from_features_is_measured_too():
    timing = measure(open_subject("harmonic-synth"), block=512, seconds=0.3)
    assert set(timing.nodes) == {"harmonic", "noise", "decoder"}
    assert timing.real_time > 0


def test_the_blocks_carry_state(monkeypatch):
    subject = _subject(fxkit.node("gain"))
    seen = []

    class Spy(torch.nn.Module):
        def forward(self, audio, params, state=None):
            seen.append(state)
            return audio, (0 if state is None else state) + 1

    subject.model.nodes[":gain"] = as_module(Spy())
    measure(subject, block=4800, seconds=0.2)
    assert seen[0] is None
    assert seen[1:5] == [1, 2, 3, 4]


def test_the_test_signal_is_heard_and_does_not_clip():
    signal = sawtooth(48000, 48000)
    assert 0.2 < float(signal.abs().max()) < 0.5
    assert torch.equal(signal, sawtooth(48000, 48000))

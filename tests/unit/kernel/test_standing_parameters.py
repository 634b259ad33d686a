"""In a stream, parameters that stand still are made once, and again as soon as they could differ."""

from __future__ import annotations

import pytest
import torch

import fxkit

BLOCK = torch.zeros(1, 1, 64)


@pytest.fixture
def model():
    chain = fxkit.Model.chain("gain", fxkit.node("gain", name="set", parameters={"gain_db": {"fixed": -6.0}}))
    return chain.build()


def streamed(model, blocks=3):
    state, found = None, []
    for _ in range(blocks):
        output = model(BLOCK, state=state)
        state = output.state
        found.append(output.parameters)
    return found, state


def test_a_stream_gets_the_same_tensors_in_every_block(model):
    with torch.no_grad():
        found, _ = streamed(model, 4)
    for name in ("gain.gain_db", "set.gain_db"):
        assert found[2][name] is found[3][name]


def test_a_changed_weight_is_heard_in_the_next_block(model):
    with torch.no_grad():
        _, state = streamed(model)
        weight = next(model.controller("gain.controller").parameters())
        weight.add_(1.0)
        assert float(model(BLOCK, state=state).parameters["gain.gain_db"]) > 1.0
        weight.data = weight.data - 1.0
        assert float(model(BLOCK, state=state).parameters["gain.gain_db"]) == pytest.approx(0.0, abs=1e-4)


def test_training_in_windows_gets_a_gradient_in_every_window(model):
    _, state = streamed(model)
    for _ in range(2):
        output = model(torch.ones(1, 1, 64), state=state)
        model.zero_grad()
        output.audio.sum().backward()
        assert next(model.parameters()).grad.abs() > 0
        state = output.state


def test_another_batch_gets_its_own_parameters(model):
    with torch.no_grad():
        streamed(model)
        _, state = streamed(model)
        output = model(BLOCK.expand(3, -1, -1), state=state)
    assert output.audio.shape[0] == 3
    assert output.parameters["set.gain_db"].shape[0] == 3


def test_a_replaced_weight_is_heard_in_the_next_block(model):
    with torch.no_grad():
        _, state = streamed(model)
        moved = {name: value + 1.0 for name, value in model.state_dict().items()}
        model.load_state_dict(moved, assign=True)
        assert float(model(BLOCK, state=state).parameters["gain.gain_db"]) > 1.0


def test_frames_that_are_repeated_for_a_constant_fit_every_block():
    chain = fxkit.Model.chain("harmonic")
    network = chain.build(hop=48, sample_rate=16000)
    whole = network(torch.zeros(1, 0, 480)).audio
    with torch.no_grad():
        state, parts = None, []
        for samples in (7, 1, 64, 48, 200, 160):
            output = network(torch.zeros(1, 0, samples), state=state)
            state, parts = output.state, [*parts, output.audio]
    assert torch.allclose(torch.cat(parts, -1), whole, atol=1e-5)

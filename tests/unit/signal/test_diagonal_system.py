from __future__ import annotations

from unittest import mock

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal import diagonal_system as module
from fxkit_signal import dispatch
from fxkit_signal.diagonal_system import couple, diagonal_system, settled


@pytest.fixture(params=["compiled", "torch"])
def path(request):
    with mock.patch.object(dispatch, "has_compiler", return_value=request.param == "compiled"):
        yield request.param


def system(inputs, outputs, modes, seed=0):
    draw = torch.Generator().manual_seed(seed)
    decay, turn = torch.rand(2, modes, generator=draw, dtype=torch.float64)
    into = torch.randn(modes, inputs, 2, generator=draw, dtype=torch.float64)
    out = torch.randn(outputs, modes, 2, generator=draw, dtype=torch.float64)
    log_pole = torch.complex(-0.002 - 0.3 * decay, 3 * turn)
    return log_pole, torch.view_as_complex(into), torch.view_as_complex(out)


def recur(audio, log_pole, into, out, state):
    """Run the definition sample by sample; the state is complex [batch, modes]."""
    outputs = []
    for n in range(audio.shape[-1]):
        state = log_pole.exp() * state + audio[..., n].to(into.dtype) @ into.T
        outputs.append((state @ out.T).real)
    return torch.stack(outputs, -1), state


def flat(state):
    return torch.cat([state.real, state.imag], -1)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("samples", [1, 64, 200])
def test_output_and_state_follow_the_recurrence(samples):
    numbers = system(3, 2, 5)
    audio = torch.randn(2, 3, samples, dtype=torch.float64)
    start = torch.randn(2, 5, dtype=torch.complex128)
    expected, end = recur(audio, *numbers, start)
    with mock.patch.object(module, "STRETCH", 2 * 64):
        found, after = diagonal_system(audio, couple(*numbers, torch.float64), flat(start))
    assert torch.allclose(found, expected, atol=1e-11)
    assert torch.allclose(after, flat(end), atol=1e-11)


@pytest.mark.usefixtures("path")
def test_gradients_are_those_of_the_recurrence_across_stretches():
    leaves = [torch.randn(2, 2, 70, dtype=torch.float64), *system(2, 3, 2)]
    leaves.append(torch.randn(2, 4, dtype=torch.float64))
    leaves = [leaf.requires_grad_() for leaf in leaves]

    def run(audio, log_pole, into, out, state):
        return diagonal_system(audio, couple(log_pole, into, out, torch.float64), state)

    with mock.patch.object(module, "STRETCH", 2 * 64):
        assert torch.autograd.gradcheck(run, leaves, rtol=1e-4, fast_mode=True)


def test_float32_stays_exact_for_a_second_with_a_slow_pole():
    log_pole, into, out = system(2, 2, 4)
    log_pole = log_pole + torch.tensor([1.0, 0, 0, 0]) * (-1e-5 - log_pole)
    audio = torch.randn(1, 2, 48000)
    expected, _ = diagonal_system(audio.double(), couple(log_pole, into, out, torch.float64))
    found, _ = diagonal_system(audio, couple(log_pole, into, out))
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(0, 90), min_size=1, max_size=6))
def test_any_split_gives_one_output(sizes):
    numbers, audio = couple(*system(2, 2, 3)), torch.randn(1, 2, sum(sizes) + 1)
    whole, end = diagonal_system(audio, numbers)
    pieces, state = [], None
    for block in audio.split([*sizes, 1], dim=-1):
        piece, state = diagonal_system(block, numbers, state)
        pieces.append(piece)
    assert torch.allclose(torch.cat(pieces, -1), whole, atol=1e-5)
    assert torch.allclose(state, end, atol=1e-5)


def test_a_system_that_has_settled_stays_where_it_is():
    log_pole, into, out = system(3, 2, 4)
    level = torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64)
    state = settled(log_pole, into, level)
    coupled = couple(log_pole, into, out, torch.float64)
    output, after = diagonal_system(level[..., None].expand(-1, -1, 300), coupled, state)
    assert torch.allclose(after, state, rtol=1e-9)
    assert torch.allclose(output, output[..., :1].expand_as(output), atol=1e-9)


def test_no_state_sequence_is_kept():
    kept, audio = [], torch.randn(1, 2, 60000, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        diagonal_system(audio, couple(*system(2, 2, 16)))
    assert sum(tensor.nbytes for tensor in kept) < 1.1 * audio.nbytes

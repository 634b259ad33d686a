from __future__ import annotations

import math
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal import dispatch
from fxkit_signal.diagonal_bank import diagonal_bank, lift, settled

PATHS = ["compiled", "torch"]


@pytest.fixture(params=PATHS)
def path(request):
    with mock.patch.object(dispatch, "has_compiler", return_value=request.param == "compiled"):
        yield request.param


def system(channels, modes, seed=0):
    """Draw a bank as S4D starts: poles exp(dt (-1/2 + i pi k))."""
    draw = torch.Generator().manual_seed(seed)
    spread = torch.rand(channels, 1, generator=draw, dtype=torch.float64)
    dt = torch.exp(math.log(0.001) + spread * math.log(100))
    pole = torch.complex(torch.tensor(-0.5).double(), math.pi * torch.arange(modes).double())
    log_pole = dt * pole
    gain = torch.randn(channels, modes, 2, generator=draw, dtype=torch.float64)
    direct = torch.randn(channels, generator=draw, dtype=torch.float64)
    return log_pole, 2 * torch.view_as_complex(gain) * (log_pole.exp() - 1) / pole, direct


def recur(audio, log_pole, gain, direct, state):
    """Run the definition sample by sample in float64; the state is complex [batch, channels, modes]."""
    pole, outputs = log_pole.exp(), []
    for n in range(audio.shape[-1]):
        sample = audio[..., n].double()
        state = pole * state + sample[..., None]
        outputs.append((gain * state).real.sum(-1) + direct * sample)
    return torch.stack(outputs, -1), state


def flat(state):
    return torch.cat([state.real, state.imag], -1)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("modes", [1, 4, 33])
@pytest.mark.parametrize("samples", [1, 31, 32, 200])
@pytest.mark.parametrize("learns", [False, True])
def test_output_and_state_follow_the_recurrence(modes, samples, learns):
    numbers = system(3, modes)
    audio = torch.randn(2, 3, samples, dtype=torch.float64)
    start = torch.randn(2, 3, modes, dtype=torch.complex128)
    expected, end = recur(audio, *numbers, start)
    audio.requires_grad_(learns)
    found, after = diagonal_bank(audio, lift(*numbers, torch.float64), flat(start))
    assert torch.allclose(found, expected, atol=1e-12)
    assert torch.allclose(after, flat(end), atol=1e-10)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("samples", [20, 75])
def test_gradients_are_those_of_the_recurrence(samples):
    leaves = [*system(2, 3), torch.randn(2, 2, 6, dtype=torch.float64)]
    leaves.insert(0, torch.randn(2, 2, samples, dtype=torch.float64))

    def run(audio, log_pole, gain, direct, state):
        return diagonal_bank(audio, lift(log_pole, gain, direct, torch.float64), state)

    leaves = [leaf.detach().requires_grad_() for leaf in leaves]
    assert torch.autograd.gradcheck(run, leaves, rtol=1e-4, fast_mode=True)


def test_float32_stays_exact_for_three_seconds():
    log_pole, gain, direct = system(4, 8)
    slow = torch.complex(torch.full((4, 1), -1e-6).double(), torch.zeros(4, 1).double())
    log_pole, gain = torch.cat([log_pole, slow], 1), torch.cat([gain, 1e-6 + 0 * gain[:, :1]], 1)
    audio = torch.randn(1, 4, 144000)
    samples, poles, gains = audio[0].double().numpy(), log_pole.exp().numpy(), gain.numpy()
    state, outputs = np.zeros((4, 9), np.complex128), []
    for n in range(144000):
        state = poles * state + samples[:, n, None]
        outputs.append((gains * state).real.sum(-1))
    expected = torch.from_numpy(np.stack(outputs, -1) + direct.numpy()[:, None] * samples)
    found, _ = diagonal_bank(audio, lift(log_pole, gain, direct))
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(0, 90), min_size=1, max_size=6), learns=st.booleans())
def test_any_split_gives_one_output(sizes, learns):
    lifted = lift(*system(2, 5))
    audio = torch.randn(1, 2, sum(sizes) + 1, requires_grad=learns)
    whole, end = diagonal_bank(audio, lifted)
    pieces, state = [], None
    for block in audio.split([*sizes, 1], dim=-1):
        piece, state = diagonal_bank(block, lifted, state)
        pieces.append(piece)
    assert torch.allclose(torch.cat(pieces, -1), whole, atol=1e-5)
    assert torch.allclose(state, end, atol=1e-4)


def test_a_bank_that_has_settled_stays_where_it_is():
    numbers = system(3, 4)
    level = torch.tensor([[0.5, -1.0, 2.0]], dtype=torch.float64)
    state = settled(numbers[0], level)
    output, after = diagonal_bank(level[..., None].expand(-1, -1, 300), lift(*numbers, torch.float64), state)
    assert torch.allclose(after, state, rtol=1e-9)
    assert torch.allclose(output, output[..., :1].expand_as(output), atol=1e-10)


def test_paths_agree_on_gradients_over_many_steps():
    found = []
    for compiled in (True, False):
        leaves = [leaf.requires_grad_() for leaf in system(2, 4)]
        audio = torch.linspace(-1, 1, 2 * 2 * 500).sin().view(2, 2, 500).double().requires_grad_()
        with mock.patch.object(dispatch, "has_compiler", return_value=compiled):
            output, end = diagonal_bank(audio, lift(*leaves, torch.float64))
            found.append(torch.autograd.grad(output.square().sum() + end.sum(), [audio, *leaves]))
    assert all(torch.allclose(*pair, rtol=1e-9) for pair in zip(*found, strict=True))


def test_nothing_of_the_length_of_the_signal_times_the_modes_is_kept():
    channels, samples, modes = 4, 16384, 32
    kept = []
    leaves = [leaf.requires_grad_() for leaf in system(channels, modes)]
    audio = torch.randn(1, channels, samples, requires_grad=True)
    lifted = lift(*leaves)
    with torch.autograd.graph.saved_tensors_hooks(lambda x: kept.append(x) or x, lambda x: x):
        diagonal_bank(audio, lifted)
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in kept}
    assert sum(storages.values()) < 5 * audio.nbytes < channels * samples * modes * 8


def test_autocast_leaves_the_recursion_alone():
    lifted, audio = lift(*system(2, 4)), torch.randn(1, 2, 96, requires_grad=True)
    expected, _ = diagonal_bank(audio, lifted)
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = diagonal_bank(audio, lifted)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)

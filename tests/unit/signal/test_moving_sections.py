import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal import biquad, dispatch
from fxkit_signal.biquad import sosfilt, sosfilt_varying

RATE = 48000
COLUMNS = [0, 1, 2, 4, 5]


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(dispatch, "has_compiler", lambda: False)
    return request.param


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def moving_sections(batch, frames, seed=0):
    """Two sections whose frequency, gain and Q wander over the frames [batch, frames, 2, 6]."""
    draw = np.random.default_rng(seed)
    frequency = torch.from_numpy(np.exp(draw.uniform(np.log(60), np.log(9000), (batch, frames, 2))))
    gain = torch.from_numpy(draw.uniform(-12, 12, (batch, frames, 2)))
    q = torch.from_numpy(draw.uniform(0.4, 6, (batch, frames, 2)))
    return biquad.peak(frequency, gain, q, RATE)


def at_sample(sos, n, hop, offset):
    """The coefficients [sections, 6] at one sample, from frames [frames, sections, 6]."""
    frame, within = divmod(offset + n, hop)
    return sos[frame] if within == 0 else sos[frame] + (sos[frame + 1] - sos[frame]) * (within / hop)


def loop(x, sos, hop, offset, state):
    """Transposed direct form II of one channel, sample by sample; also everything that its adjoint needs."""
    state, y, tape = state.copy(), np.empty(len(x)), []
    for n in range(len(x)):
        u = x[n]
        for k, (b0, b1, b2, _, a1, a2) in enumerate(at_sample(sos, n, hop, offset)):
            out = b0 * u + state[k, 0]
            tape.append((n, k, u, out))
            state[k] = b1 * u - a1 * out + state[k, 1], b2 * u - a2 * out
            u = out
        y[n] = u
    return y, state, tape


def loop_gradients(sos, hop, offset, tape, grad_y, grad_state):
    """The chain rule, line by line backwards through `loop`."""
    grad_sos, grad_x, passed = np.zeros_like(sos), np.zeros(len(grad_y)), grad_state.copy()
    for n, k, u, y in reversed(tape):
        b0, b1, b2, _, a1, a2 = at_sample(sos, n, hop, offset)[k]
        g = (grad_y[n] if k == sos.shape[1] - 1 else grad_x[n]) - a1 * passed[k, 0] - a2 * passed[k, 1]
        grad_x[n] = b0 * g + b1 * passed[k, 0] + b2 * passed[k, 1]
        own = np.array([g * u, passed[k, 0] * u, passed[k, 1] * u, 0, -passed[k, 0] * y, -passed[k, 1] * y])
        frame, within = divmod(offset + n, hop)
        grad_sos[frame, k] += own * (1 - within / hop)
        if within:
            grad_sos[frame + 1, k] += own * (within / hop)
        passed[k] = g, passed[k, 0]
    return grad_x, grad_sos, passed


def error(found, expected):
    return np.linalg.norm(found.detach().numpy() - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize(("hop", "offset"), [(1, 0), (16, 0), (100, 37)])
def test_output_state_and_gradients_equal_the_loop(path, hop, offset):
    draw = np.random.default_rng(3)
    samples = 700
    frames = samples if hop == 1 else (offset + samples - 1) // hop + 2
    sos = moving_sections(1, frames).requires_grad_()
    x = torch.from_numpy(draw.standard_normal((1, 1, samples))).requires_grad_()
    start = torch.from_numpy(draw.standard_normal((1, 1, 2, 2))).requires_grad_()
    weight, weight_end = draw.standard_normal(samples), draw.standard_normal((2, 2))
    y, end = sosfilt_varying(x, sos, start, hop=hop, offset=offset)
    ((y[0, 0] * torch.from_numpy(weight)).sum() + (end[0, 0] * torch.from_numpy(weight_end)).sum()).backward()
    numbers = sos.detach()[0].numpy()
    expected, expected_end, tape = loop(
        x.detach()[0, 0].numpy(), numbers, hop, offset, start.detach()[0, 0].numpy()
    )
    grad_x, grad_sos, grad_start = loop_gradients(numbers, hop, offset, tape, weight, weight_end)
    assert error(y[0, 0], expected) < 1e-9
    assert error(end[0, 0], expected_end) < 1e-9
    assert error(x.grad[0, 0], grad_x) < 1e-9
    assert error(sos.grad[0][..., COLUMNS], grad_sos[..., COLUMNS]) < 1e-9
    assert error(start.grad[0, 0], grad_start) < 1e-9


def test_rows_of_a_batch_have_their_own_coefficients_and_channels_share_them(path):
    x = torch.randn(3, 3, 200, dtype=torch.float64, requires_grad=True)
    sos = moving_sections(3, 5).requires_grad_()
    y, end = sosfilt_varying(x, sos, hop=50)
    weight = torch.randn_like(y)
    together = torch.autograd.grad((y * weight).sum(), (x, sos))
    grad_sos = torch.zeros_like(sos)
    for item in range(3):
        for channel in range(3):
            own_x, own_sos = x[item : item + 1, channel : channel + 1], sos[item : item + 1]
            alone, own_end = sosfilt_varying(own_x, own_sos, hop=50)
            assert torch.allclose(alone[0, 0], y[item, channel], atol=1e-10)
            assert torch.allclose(own_end[0, 0], end[item, channel], atol=1e-10)
            of_x, of_sos = torch.autograd.grad((alone * weight[item, channel]).sum(), (own_x, own_sos))
            assert torch.allclose(of_x[0, 0], together[0][item, channel], atol=1e-10)
            grad_sos[item] += of_sos[0]
    assert torch.allclose(grad_sos[..., COLUMNS], together[1][..., COLUMNS], rtol=1e-8, atol=1e-9)


def test_one_set_of_frames_serves_the_whole_batch(path):
    x = torch.randn(9, 2, 130, dtype=torch.float64)
    sos = moving_sections(1, 4)
    once = sos.clone().requires_grad_()
    many = sos.expand(9, -1, -1, -1).clone().requires_grad_()
    results = [sosfilt_varying(x, some, hop=64)[0] for some in (once, many)]
    assert torch.allclose(*results, atol=1e-12)
    for result in results:
        result.square().sum().backward()
    assert torch.allclose(once.grad[0][..., COLUMNS], many.grad.sum(0)[..., COLUMNS], rtol=1e-9)


CASES = {
    "mild": [
        (100.0, 5.0, 0.7),
        (300.0, -7.0, 1.4),
        (1000.0, 6.0, 0.8),
        (3000.0, -9.0, 2.5),
        (8000.0, 4.0, 0.7),
    ],
    "40 Hz, Q 10": [(100.0, 5.0, 0.7), (40.0, 12.0, 10.0), (1000.0, 6.0, 0.8), (3000.0, -9.0, 2.5)],
}


@pytest.mark.parametrize("case", CASES)
def test_coefficients_that_stand_still_give_the_static_filter(path, case):
    sections = torch.stack([biquad.peak(f64(f), f64(g), f64(q), RATE) for f, g, q in CASES[case]], dim=1)
    x = torch.randn(2, 1, 12000, generator=torch.Generator().manual_seed(0)).requires_grad_()
    weight = torch.randn(2, 1, 12000, generator=torch.Generator().manual_seed(1))
    still, moving = sections.clone().requires_grad_(), sections[:, None].repeat(1, 95, 1, 1).requires_grad_()
    y, end = sosfilt(x, still)
    z, moving_end = sosfilt_varying(x, moving, hop=128)
    of_y = torch.autograd.grad(y, (x, still), weight)
    of_z = torch.autograd.grad(z, (x, moving), weight)
    assert (y - z).norm() < 1e-6 * y.norm()
    assert torch.allclose(end, moving_end, rtol=1e-6, atol=1e-9)
    assert (of_y[0] - of_z[0]).norm() < 1e-6 * of_y[0].norm()
    difference = of_y[1][..., COLUMNS] - of_z[1].sum(1)[..., COLUMNS]
    assert difference.norm() < 1e-6 * of_y[1][..., COLUMNS].norm()


def test_a_single_frame_stands_still(path):
    sections = moving_sections(2, 1)
    x = torch.randn(2, 1, 100)
    assert torch.equal(sosfilt_varying(x, sections, hop=64)[0], sosfilt(x, sections[:, 0])[0])


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.sampled_from([1, 7, 64, 3, 50, 129]), min_size=1, max_size=9),
    st.sampled_from([1, 16, 64]),
    st.booleans(),
)
def test_any_split_into_blocks_gives_the_offline_output(sizes, hop, compiled):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "has_compiler", lambda: compiled)
        split_and_compare(sizes, hop)


def split_and_compare(sizes, hop):
    samples = sum(sizes)
    sos = moving_sections(2, samples if hop == 1 else samples // hop + 2)
    x = torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(4))
    whole, end = sosfilt_varying(x, sos, hop=hop)
    parts, state, start = [], None, 0
    for block in x.split(sizes, dim=-1):
        frame, offset = divmod(start, hop)
        frames = block.shape[-1] if hop == 1 else (offset + block.shape[-1] - 1) // hop + 2
        part, state = sosfilt_varying(block, sos[:, frame : frame + frames], state, hop=hop, offset=offset)
        parts.append(part)
        start += block.shape[-1]
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-5)
    assert torch.allclose(state, end, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("hop", [1, 8])
def test_gradients_pass_gradcheck(path, hop):
    frames = 21 if hop == 1 else 4
    sos = moving_sections(2, frames, seed=1).requires_grad_()
    x = torch.randn(2, 2, 21, dtype=torch.float64, requires_grad=True)
    state = torch.randn(2, 2, 2, 2, dtype=torch.float64, requires_grad=True)

    def run(x, sos, state):
        # a0 is one by contract, and the filter may read it or not.
        fixed = torch.cat([sos[..., :3], torch.ones_like(sos[..., :1]), sos[..., 4:]], dim=-1)
        return sosfilt_varying(x, fixed, state, hop=hop)

    assert torch.autograd.gradcheck(run, (x, sos, state), eps=1e-6, atol=1e-6, rtol=1e-4)


def test_single_precision_audio_is_filtered_in_double_precision(path):
    frequency = torch.linspace(40.0, 60.0, 201, dtype=torch.float64)
    sos = biquad.low_pass(frequency, f64(10.0), RATE)[None, :, None]
    x = torch.randn(1, 1, 20000, generator=torch.Generator().manual_seed(0))
    y, _ = sosfilt_varying(x, sos, hop=100)
    exact, _ = sosfilt_varying(x.double(), sos, hop=100)
    assert y.dtype == torch.float32
    assert (y - exact).norm() < 1e-7 * exact.norm()


def test_nothing_in_gives_nothing_out_and_keeps_the_state(path):
    state = torch.randn(1, 1, 2, 2, dtype=torch.float64)
    y, after = sosfilt_varying(torch.zeros(1, 1, 0), moving_sections(1, 2), state, hop=64)
    assert y.shape == (1, 1, 0)
    assert torch.equal(after, state)

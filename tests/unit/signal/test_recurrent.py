from __future__ import annotations

import pytest
import torch

from fxkit_signal import recurrent

KINDS = {"lstm": (torch.nn.LSTM, recurrent.lstm_layer), "gru": (torch.nn.GRU, recurrent.gru_layer)}
STATES = {"lstm": 2, "gru": 1}


def weights_of(kind, channels, hidden):
    gates = 4 if kind == "lstm" else 3
    shapes = ((gates * hidden, channels), (gates * hidden, hidden), (gates * hidden,), (gates * hidden,))
    return [torch.randn(shape) * (0.9 / hidden**0.5) for shape in shapes]


def start_of(kind, batch, hidden):
    return tuple(torch.randn(batch, hidden) * 0.5 for _ in range(STATES[kind]))


def step(kind, x, weights, state):
    """Return the state after one sample by the equations of Hochreiter et al. and Cho et al."""
    w_ih, w_hh, b_ih, b_hh = weights
    brought, given = state[0] @ w_hh.T + b_hh, x @ w_ih.T + b_ih
    if kind == "lstm":
        i, f, g, o = (brought + given).chunk(4, -1)
        c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c
    (r, z, n), (h_r, h_z, h_n) = given.chunk(3, -1), brought.chunk(3, -1)
    update = (z + h_z).sigmoid()
    return ((1 - update) * (n + (r + h_r).sigmoid() * h_n).tanh() + update * state[0],)


def by_equations(kind, signal, weights, state):
    outputs = []
    for n in range(signal.shape[1]):
        state = step(kind, signal[:, n], weights, state)
        outputs.append(state[0])
    return torch.stack(outputs, 1), state


def leaves(*tensors, double=False):
    return [(tensor.double() if double else tensor.clone()).requires_grad_() for tensor in tensors]


def gradients(run, kind, signal, weights, state, measure, double):
    """Return outputs, state and the gradients of a measure that reads all of both."""
    flat = leaves(signal, *weights, *state, double=double)
    outputs, after = run(flat[0], flat[1:5], tuple(flat[5:]))
    total = (outputs * measure[0].to(outputs.dtype)).sum()
    for one, factor in zip(after, measure[1], strict=True):
        total = total + (one * factor.to(one.dtype)).sum()
    return outputs, after, torch.autograd.grad(total, flat)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("batch", "samples", "channels", "hidden"),
    [(1, 37, 1, 32), (2, 9, 3, 16), (3, 20, 1, 5), (7, 33, 2, 24), (4, 1, 5, 40)],
)
def test_layers_follow_their_equations_there_and_back(kind, batch, samples, channels, hidden):
    signal, weights = torch.randn(batch, samples, channels), weights_of(kind, channels, hidden)
    state = start_of(kind, batch, hidden)
    measure = torch.randn(batch, samples, hidden), start_of(kind, batch, hidden)
    layer = KINDS[kind][1]
    actual = gradients(layer, kind, signal, weights, state, measure, double=False)
    expected = gradients(
        lambda *given: by_equations(kind, *given), kind, signal, weights, state, measure, double=True
    )
    assert (actual[0] - expected[0]).abs().max() < 1e-6
    for one, other in zip((*actual[1], *actual[2]), (*expected[1], *expected[2]), strict=True):
        assert (one - other).abs().max() < 5e-6 * (1 + other.abs().max())


@pytest.mark.parametrize("kind", KINDS)
def test_many_stretches_of_time_are_one(kind, monkeypatch):
    from fxkit_signal.compiled import recurrent as compiled

    monkeypatch.setattr(compiled, "STRETCH", 7 * 3 * 4 * 16)
    signal, weights, state = torch.randn(3, 50, 2), weights_of(kind, 2, 16), start_of(kind, 3, 16)
    measure = torch.randn(3, 50, 16), start_of(kind, 3, 16)
    pieces = gradients(KINDS[kind][1], kind, signal, weights, state, measure, double=False)
    monkeypatch.undo()
    whole = gradients(KINDS[kind][1], kind, signal, weights, state, measure, double=False)
    assert torch.allclose(pieces[0], whole[0], atol=1e-6)
    for one, other in zip(pieces[2], whole[2], strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("double", [False, True])
def test_layers_are_those_of_torch(kind, double):
    dtype = torch.float64 if double else torch.float32
    module = KINDS[kind][0](3, 20, batch_first=True, dtype=dtype)
    signal = torch.randn(2, 30, 3, dtype=dtype)
    outputs, state = KINDS[kind][1](signal, [*module.parameters()])
    expected, after = module(signal)
    assert torch.allclose(outputs, expected, atol=1e-12 if double else 1e-6)
    for one, other in zip(state, after if kind == "lstm" else (after,), strict=True):
        assert torch.allclose(one, other[0], atol=1e-12 if double else 1e-6)


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize("hidden", [16, 6])
def test_gates_may_be_given(double, hidden):
    dtype = torch.float64 if double else torch.float32
    signal = torch.randn(2, 12, 3, dtype=dtype)
    for kind in KINDS:
        w_ih, w_hh, b_ih, b_hh = weights = [weight.to(dtype) for weight in weights_of(kind, 3, hidden)]
        flat = [w_hh.requires_grad_(), b_hh.requires_grad_()]
        if kind == "lstm":
            outputs, after = recurrent.lstm(signal @ w_ih.T + b_ih + b_hh, w_hh)
        else:
            outputs, after = recurrent.gru(signal @ w_ih.T + b_ih, w_hh, b_hh)
        expected, state = KINDS[kind][1](signal, weights)
        assert torch.allclose(outputs, expected, atol=1e-6)
        assert torch.allclose(after[-1], state[-1], atol=1e-6)
        weighed = torch.randn_like(outputs)
        for one, other in zip(
            torch.autograd.grad((outputs * weighed).sum(), flat),
            torch.autograd.grad((expected * weighed).sum(), flat),
            strict=True,
        ):
            assert torch.allclose(one, other, rtol=1e-5, atol=1e-5)


def test_functions_of_the_gates_keep_their_relative_accuracy():
    """Read sigmoid and tanh off an LSTM of one step: with c = 0 and open gates, c' = i g."""
    x = torch.cat((torch.linspace(-30, 30, 4001), torch.logspace(-17, 0, 4000), -torch.logspace(-17, 0, 999)))
    gates = torch.full((len(x), 1, 4, 16), 60.0)
    for place, function in ((0, torch.sigmoid), (2, torch.tanh)):
        own = gates.clone()
        own[:, 0, place] = x[:, None]
        _, (_, c) = recurrent.lstm(own.flatten(2), torch.zeros(64, 16))
        exact = function(x.double())
        assert ((c[:, 0] - exact) / exact).abs().max() < 3e-7


@pytest.mark.parametrize("kind", KINDS)
def test_huge_values_saturate(kind):
    signal, weights = torch.tensor([[[1e30], [-1e30], [3e38], [0.0]]]), weights_of(kind, 1, 16)
    outputs, _ = KINDS[kind][1](signal, weights)
    assert torch.isfinite(outputs).all()
    assert outputs.abs().max() <= 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_a_number_after_something_that_is_none(kind):
    signal, weights = torch.randn(1, 8, 1), weights_of(kind, 1, 16)
    signal[0, 4] = torch.nan
    outputs, _ = KINDS[kind][1](signal, weights)
    assert torch.isfinite(outputs[0, :4]).all()
    assert outputs[0, 4:].isnan().all()


@pytest.mark.parametrize("kind", KINDS)
def test_threads_change_nothing(kind, monkeypatch):
    signal, weights = torch.randn(5, 40, 1), weights_of(kind, 1, 16)
    alone, _ = KINDS[kind][1](signal, weights)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert torch.allclose(KINDS[kind][1](signal, weights)[0], alone, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_around_it_leaves_the_recursion_alone(kind):
    signal, weights = torch.randn(2, 16, 1), weights_of(kind, 1, 16)
    expected, _ = KINDS[kind][1](signal, weights)
    for weight in (weights, leaves(*weights)):
        with torch.autocast("cpu", torch.bfloat16):
            actual, _ = KINDS[kind][1](signal, weight)
        assert torch.equal(actual, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_memo_notices_weights_that_were_changed_in_place(kind):
    from fxkit_signal.memo import Memo

    signal, weights, memo = torch.randn(1, 8, 1), weights_of(kind, 1, 16), Memo()
    with torch.no_grad():
        KINDS[kind][1](signal, weights, None, memo)
        weights[1].mul_(0.5)
        remembered, _ = KINDS[kind][1](signal, weights, None, memo)
        assert torch.equal(remembered, KINDS[kind][1](signal, weights)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_compiled_model_still_runs_the_kernels(kind):
    signal, weights = torch.randn(2, 24, 1), leaves(*weights_of(kind, 1, 16))

    def twice(signal):
        return 2 * KINDS[kind][1](2 * signal, weights)[0]

    torch.compiler.reset()
    outputs = torch.compile(twice, backend="aot_eager")(signal)
    assert torch.equal(outputs, twice(signal))
    expected = torch.autograd.grad(twice(signal).sum(), weights)
    for one, other in zip(torch.autograd.grad(outputs.sum(), weights), expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_an_exported_graph_holds_the_layer_as_one_operation(kind):
    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = torch.nn.ParameterList(weights_of(kind, 1, 16))

        def forward(self, signal):
            return KINDS[kind][1](signal, [*self.weights])[0]

    layer, signal = Layer(), torch.randn(2, 24, 1)
    program = torch.export.export(layer, (signal,))
    assert torch.allclose(program.module()(signal), layer(signal), atol=1e-6)
    assert len(program.graph.nodes) < 30


@pytest.mark.parametrize("kind", KINDS)
def test_what_dies_away_ends_at_zero(kind):
    """A state of which a fraction is left at each step reaches the denormal numbers, and may stay there."""
    weights = [torch.zeros_like(weight) for weight in weights_of(kind, 1, 16)]
    weights[2][16:32] = 0.5
    state = start_of(kind, 1, 16)
    outputs, after = KINDS[kind][1](torch.zeros(1, 1000, 1), weights, state)
    assert after[-1].count_nonzero() == 0
    start = tuple(leaves(*state))
    outputs, _ = KINDS[kind][1](torch.zeros(1, 1000, 1), leaves(*weights), start)
    for gradient in torch.autograd.grad(outputs[:, -1].sum(), start):
        assert gradient.count_nonzero() == 0

"""What the conditionings do to the layers of a network, against references written here."""

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit_neural.concat import Concat
from fxkit_neural.film import FiLM
from fxkit_neural.tfilm import TFiLM
from fxkit_neural.ttfilm import TTFiLM
from fxkit_neural.tvconcat import TVConcat
from fxkit_neural.tvfilm import TVFiLM

CTX = BuildContext()
WIDTHS = (3, 5)
BLOCK = 32
POOLED = (TFiLM, TTFiLM, TVFiLM)


def weight_count(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def built(spec, widths=WIDTHS, seed=0):
    torch.manual_seed(seed)
    module = spec.build(CTX, widths).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return module


def condition(spec, samples=1, batch=2, seed=3):
    draw = torch.Generator().manual_seed(seed)
    shape = (batch, spec.size, samples)
    return {"condition": torch.rand(shape, generator=draw, dtype=torch.float64)} if spec.size else {}


def signals(samples, widths=WIDTHS, batch=2, seed=1):
    draw = torch.Generator().manual_seed(seed)
    sizes = (1, *widths)
    return [torch.randn(batch, size, samples, generator=draw, dtype=torch.float64) for size in sizes]


def run(module, audio, layers, params, blocks=()):
    """Return what the network reads and each modulated layer, from settled layers at rest, in blocks."""
    first = {name: value[..., :1] for name, value in params.items()}
    _, guide, _ = module.enter(torch.zeros_like(audio[..., :1]), first)
    states = [module.settle(i, torch.zeros_like(x[..., :1]), guide)[1] for i, x in enumerate(layers)]
    entered, pieces = None, []
    for start, stop in pairwise((0, *accumulate(blocks or (audio.shape[-1],)))):
        here = {n: v if v.shape[-1] == 1 else v[..., start:stop] for n, v in params.items()}
        read, guide, entered = module.enter(audio[..., start:stop], here, entered)
        outputs = [read]
        for layer, signal in enumerate(layers):
            output, states[layer] = module.modulate(layer, signal[..., start:stop], guide, states[layer])
            outputs.append(output)
        pieces.append(outputs)
    return [torch.cat(parts, dim=-1) for parts in zip(*pieces, strict=True)]


def lstm_step(lstm, x, h, c):
    i, f, g, o = (lstm.weight_ih_l0 @ x + lstm.bias_ih_l0 + lstm.weight_hh_l0 @ h + lstm.bias_hh_l0).chunk(4)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


@pytest.mark.parametrize(
    ("spec", "widths", "count"),
    [
        (TFiLM(), [16] * 5, 39457 - 7457),  # TCN-45-S
        (TFiLM(), [16] * 10, 71297 - 7297),  # TCN-45-L
        (TFiLM(), [32] * 5, 141601 - 16161),  # GCN-45-S
        (TFiLM(), [32] * 10, 268001 - 17121),  # GCN-45-L
        (TFiLM(), [16] * 4, 27953 - 2353),  # S4-S
        (TFiLM(), [16] * 8, 70193 - 18993),  # S4-L
    ],
)
def test_published_networks_grow_by_the_published_number_of_weights(spec, widths, count):
    assert weight_count(spec.build(CTX, widths)) == count


def test_sizes_of_the_published_layers_follow_from_their_widths():
    lstm = 4 * 32 * (1 + 2 + 32) + 8 * 32
    assert weight_count(TVFiLM(size=2).build(CTX, [16] * 5)) == lstm + 5 * 33 * 32
    perceptron = (2 + 1) * 32 + 2 * 33 * 32
    assert weight_count(FiLM(size=2).build(CTX, [16] * 5)) == perceptron + 5 * 33 * 32
    tiny = 17 * 4 + 4 * 4 * (4 + 2 + 4) + 8 * 4 + 5 * 16 + 17 * 32 + 33 * 32
    assert weight_count(TTFiLM(size=2).build(CTX, [16] * 5)) == 5 * tiny
    assert weight_count(TVConcat(size=3).build(CTX, ())) == 4 * 16 * (1 + 3 + 16) + 8 * 16


@pytest.mark.parametrize("around_one", [True, False])
@pytest.mark.parametrize("lookahead", [True, False])
def test_tfilm_follows_its_equations_block_by_block(around_one, lookahead):
    spec = TFiLM(size=1, block=BLOCK, around_one=around_one, lookahead=lookahead)
    module = built(spec, widths=(3,))
    params = condition(spec, samples=5 * BLOCK)
    audio, signal = signals(5 * BLOCK, widths=(3,))
    output = run(module, audio, [signal], params)[1]
    lstm = module.lstms[0].lstm
    for item in range(2):
        knob = params["condition"][item]
        h = c = torch.zeros(6, dtype=torch.float64)
        silence = torch.zeros(3, dtype=torch.float64)
        for _ in range(200):
            h, c = lstm_step(lstm, torch.cat((silence, knob[:, 0])), h, c)
        before = silence
        for start in range(0, 5 * BLOCK, BLOCK):
            piece = signal[item, :, start : start + BLOCK]
            pooled = piece.amax(-1) if lookahead else before
            before = piece.amax(-1)
            h, c = lstm_step(lstm, torch.cat((pooled, knob[:, start])), h, c)
            scale, shift = h[:3, None] + around_one, h[3:, None]
            found = output[item, :, start : start + BLOCK]
            assert torch.allclose(found, scale * piece + shift, atol=1e-9)


def test_ttfilm_mixes_maxima_and_leads_through_a_perceptron():
    spec = TTFiLM(block=BLOCK, around_one=False, bottleneck=2, hidden=(3,))
    module = built(spec, widths=(4,))
    audio, signal = signals(3 * BLOCK, widths=(4,))
    output = run(module, audio, [signal], {})[1]
    squeeze, (first, _, last, _) = module.squeezes[0], module.heads[0]
    mixed = lambda x: squeeze.weight[..., 0] @ x + squeeze.bias  # noqa: E731
    h = c = torch.zeros(2, dtype=torch.float64)
    pooled = torch.zeros(4, dtype=torch.float64)
    for _ in range(200):
        h, c = lstm_step(module.lstms[0].lstm, mixed(pooled), h, c)
    for start in range(0, 3 * BLOCK, BLOCK):
        h, c = lstm_step(module.lstms[0].lstm, mixed(pooled), h, c)
        inner = (first.weight[..., 0] @ h + first.bias).relu()
        scale, shift = (last.weight[..., 0] @ inner + last.bias).relu().chunk(2)
        piece = signal[0, :, start : start + BLOCK]
        expected = scale[:, None] * piece + shift[:, None]
        assert torch.allclose(output[0, :, start : start + BLOCK], expected, atol=1e-9)
        pooled = piece.amax(-1)


def test_tvfilm_guides_all_layers_by_the_magnitude_of_the_audio():
    spec = TVFiLM(size=1, block=BLOCK, hidden=4)
    module, params = built(spec), condition(spec)
    audio, *layers = signals(3 * BLOCK)
    outputs = run(module, audio, layers, params)[1:]
    h = c = torch.zeros(4, dtype=torch.float64)
    knob, pooled = params["condition"][0, :, 0], torch.zeros(1, dtype=torch.float64)
    for _ in range(200):
        h, c = lstm_step(module.lstm.lstm, torch.cat((pooled, knob)), h, c)
    for start in range(0, 3 * BLOCK, BLOCK):
        h, c = lstm_step(module.lstm.lstm, torch.cat((pooled, knob)), h, c)
        for head, signal, output in zip(module.heads, layers, outputs, strict=True):
            scale, shift = (head.weight[..., 0] @ h + head.bias).chunk(2)
            piece = signal[0, :, start : start + BLOCK]
            expected = (1 + scale)[:, None] * piece + shift[:, None]
            assert torch.allclose(output[0, :, start : start + BLOCK], expected, atol=1e-9)
        pooled = audio[0, :, start : start + BLOCK].abs().amax(-1)


def test_film_is_a_perceptron_and_one_linear_layer_for_each_layer():
    spec = FiLM(size=2, hidden=4, layers=2, around_one=False)
    module, params = built(spec), condition(spec)
    audio, *layers = signals(20)
    hidden = params["condition"][..., 0]
    for layer in module.perceptron[::2]:
        hidden = (hidden @ layer.weight[..., 0].T + layer.bias).relu()
    for head, signal, output in zip(
        module.heads, layers, run(module, audio, layers, params)[1:], strict=True
    ):
        scale, shift = (hidden @ head.weight[..., 0].T + head.bias)[..., None].chunk(2, dim=1)
        assert torch.allclose(output, scale * signal + shift, atol=1e-12)


@pytest.mark.parametrize("kind", POOLED)
@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("moment", [0, 1, 31, 32, 77, 96])
def test_no_layer_is_modulated_by_what_is_still_to_come(kind, layer, moment):
    module = built(kind(block=BLOCK))
    audio, *layers = signals(4 * BLOCK)
    before = run(module, audio, layers, {})[layer + 1]
    other, *others = signals(4 * BLOCK, seed=7)
    audio = torch.cat((audio[..., :moment], other[..., moment:]), dim=-1)
    layers = [torch.cat((a[..., :moment], b[..., moment:]), -1) for a, b in zip(layers, others, strict=True)]
    changed = (run(module, audio, layers, {})[layer + 1] != before).any(dim=1)
    assert not changed[:, :moment].any()
    assert changed[:, moment].all()


@pytest.mark.parametrize("kind", POOLED)
@pytest.mark.parametrize("layer", [0, 1])
def test_published_form_looks_ahead_as_far_as_it_declares(kind, layer):
    spec = kind(block=BLOCK, lookahead=True)
    module = built(spec)
    audio, *layers = signals(4 * BLOCK)
    before = run(module, audio, layers, {})[layer + 1]
    last = 2 * BLOCK - 1
    # Above all that the block holds, so that it is the block's maximum.
    audio[..., last] = 9.0
    layers[layer][..., last] = 9.0
    changed = (run(module, audio, layers, {})[layer + 1] != before).any(dim=1)
    assert changed.int().argmax(dim=-1).tolist() == [BLOCK, BLOCK]
    assert spec.traits(CTX, WIDTHS).lookahead == last - BLOCK
    assert spec.traits(CTX, WIDTHS).latency == BLOCK - 1


@pytest.mark.parametrize("kind", [*POOLED, TVConcat])
def test_published_form_refuses_to_go_on_inside_a_block(kind):
    module = built(kind(block=BLOCK, lookahead=True))
    audio, *layers = signals(2 * BLOCK)
    with pytest.raises(ValueError, match=f"whole blocks of {BLOCK}"):
        run(module, audio, layers, {}, blocks=(BLOCK + 1, BLOCK - 1))


@pytest.mark.parametrize("kind", [Concat, FiLM, *POOLED, TVConcat])
def test_condition_that_stands_still_may_come_as_a_track(kind):
    spec = kind(size=2)
    module, params = built(spec), condition(spec)
    audio, *layers = signals(300)
    track = {"condition": params["condition"].expand(-1, -1, 300)}
    constant, moving = (run(module, audio, layers, given) for given in (params, track))
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(constant, moving, strict=True))


@pytest.mark.parametrize("kind", [Concat, FiLM, *POOLED, TVConcat])
@settings(max_examples=15, deadline=None)
@given(blocks=st.lists(st.integers(1, 90), min_size=1, max_size=8))
def test_any_split_modulates_alike_while_the_condition_moves(kind, blocks):
    spec = kind(size=2)
    spec = spec if kind in (Concat, FiLM) else kind(size=2, block=BLOCK)
    module, total = built(spec), sum(blocks)
    params = condition(spec, samples=total)
    audio, *layers = signals(total)
    whole, split = run(module, audio, layers, params), run(module, audio, layers, params, blocks)
    assert all(torch.allclose(a, b, atol=1e-12) for a, b in zip(whole, split, strict=True))


@pytest.mark.parametrize("kind", POOLED)
def test_training_starts_nearer_the_plain_network_around_one(kind):
    torch.manual_seed(0)
    audio, *layers = (signal.float() for signal in signals(600))
    errors = []
    for around_one in (True, False):
        torch.manual_seed(0)
        module = kind(around_one=around_one).build(CTX, WIDTHS)
        outputs = run(module, audio, layers, {})[1:]
        errors.append(
            sum(float((o - s).detach().square().mean()) for o, s in zip(outputs, layers, strict=True))
        )
    assert errors[0] < 0.3 * errors[1]

from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_neural.transformer import Transformer
from fxkit_signal.attention import BASE, turned, windowed_attention
from fxkit_signal.patches import between_patches, complete_patches

SMALL = {"patch": 5, "window": 3, "dim": 8, "heads": 2, "layers": 2, "channels": 3, "blocks": 2, "kernel": 3}


def stirred(spec: Transformer, channels: int = 1) -> torch.nn.Module:
    torch.manual_seed(0)
    module = spec.build(BuildContext(channels=channels)).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return module


def normalised(layer: torch.nn.LayerNorm, vector: torch.Tensor) -> torch.Tensor:
    centred = vector - vector.mean()
    return centred / (centred.square().mean() + layer.eps).sqrt() * layer.weight + layer.bias


def heard(query: torch.Tensor, keys: list, values: list, heads: int) -> torch.Tensor:
    """Attend from one token to `keys`, the last of which is its own; turn keys by minus their distance."""
    size = len(query) // heads
    rates = BASE ** (-torch.arange(size // 2, dtype=torch.float64) / (size // 2))
    result = []
    for head in range(heads):
        part = slice(head * size, (head + 1) * size)
        weights = []
        for distance, key in zip(range(len(keys) - 1, -1, -1), keys, strict=True):
            spin = torch.polar(torch.ones(size // 2, dtype=torch.float64), -distance * rates)
            first = torch.complex(*query[part].view(2, -1))
            second = torch.complex(*key[part].view(2, -1))
            weights.append((first.conj() * second * spin).real.sum() / size**0.5)
        shares = torch.stack(weights).softmax(0)
        result.append(sum(share * value[part] for share, value in zip(shares, values, strict=True)))
    return torch.cat(result)


def steering(module: torch.nn.Module, spec: Transformer, signal: torch.Tensor) -> list[torch.Tensor]:
    """Return what each whole patch of `signal` [channels, samples] steers to, from all before it."""
    net = module.tokens
    tokens = []
    for patch in signal.split(spec.patch, dim=1):
        level = 0.1 * (patch.square().mean(1, keepdim=True) + 1e-8).log() + 1
        hidden = net.embed(torch.cat((patch, level), dim=1).flatten())
        tokens.append(net.place(torch.nn.functional.gelu(hidden)))
    for layer in net.layers:
        parts = [layer.project(normalised(layer.before, token)).chunk(3) for token in tokens]
        mixed = []
        for n, token in enumerate(tokens):
            seen = parts[max(0, n - spec.window + 1) : n + 1]
            values = heard(parts[n][0], [key for _, key, _ in seen], [v for _, _, v in seen], spec.heads)
            middle = token + layer.mix(values)
            norm, up, bend, down = layer.perceptron
            mixed.append(middle + down(bend(up(normalised(norm, middle)))))
        tokens = mixed
    return [net.steer(normalised(net.last, token)) for token in tokens]


def per_sample(module: torch.nn.Module, spec: Transformer, audio: torch.Tensor) -> torch.Tensor:
    """Run one item [channels, samples] by the defining sums, long after the start of a silent past."""
    memory = spec.traits(BuildContext()).receptive_field
    silent = -(-2 * memory // spec.patch) * spec.patch
    samples = audio.shape[1]
    ends = torch.nn.functional.pad(audio, (silent, -samples % spec.patch))
    points = steering(module, spec, ends)
    steers = torch.zeros(len(points[0]), silent + samples, dtype=audio.dtype)
    for n in range(2 * spec.patch, silent + samples):
        patch, offset = divmod(n, spec.patch)
        share = offset / spec.patch
        steers[:, n] = (1 - share) * points[patch - 2] + share * points[patch - 1]
    whole = ends[:, : silent + samples]
    signal = module.enter.weight[..., 0] @ whole
    total, wide = 0, 2 * spec.channels
    for index, gate in enumerate(module.gates):
        reach = gate.history
        gated = torch.zeros_like(signal)
        for n in range(reach, signal.shape[1]):
            taps = signal[:, n - reach : n + 1 : gate.dilation]
            summed = (gate.convolution.weight * taps).sum((1, 2)) + gate.convolution.bias
            summed = summed + steers[index * wide : (index + 1) * wide, n]
            gated[:, n] = summed[: spec.channels].tanh() * summed[spec.channels :].sigmoid()
        total = total + gated
        signal = signal if gate.mix is None else signal + gate.mix.weight[..., 0] @ gated
    output = module.head.weight[..., 0] @ total + module.head.bias[:, None]
    if spec.skip:
        output = output + whole * (1 + steers[spec.blocks * wide :])
    return output[:, silent:]


@pytest.mark.parametrize(
    ("options", "channels"), [({}, 1), ({"skip": False, "window": 2}, 1), ({"layers": 1, "blocks": 1}, 2)]
)
def test_output_follows_the_defining_sums_over_the_whole_past(options, channels):
    spec = Transformer(**{**SMALL, **options})
    module = stirred(spec, channels)
    audio = torch.randn(1, channels, 43, dtype=torch.float64)
    with torch.no_grad():
        found = module(audio, {})[0][0]
        assert torch.allclose(found, per_sample(module, spec, audio[0]), atol=1e-10)


def test_silence_before_the_start_changes_nothing():
    module = stirred(Transformer(**SMALL))
    audio = torch.randn(2, 1, 60, dtype=torch.float64)
    late = torch.nn.functional.pad(audio, (20 * SMALL["patch"], 0))
    start = 20 * SMALL["patch"]
    assert torch.allclose(module(late, {})[0][..., start:], module(audio, {})[0], atol=1e-12)


def test_the_state_keeps_its_size_however_long_it_runs():
    module = Transformer(**SMALL).build(BuildContext())
    sizes = []
    state = None
    for _ in range(3):
        with torch.no_grad():
            _, state = module(torch.randn(1, 1, 333), {}, state)
        tensors = [state["begun"], state["steer"], *state["cache"].values(), *state["pasts"]]
        sizes.append([tensor.untyped_storage().nbytes() for tensor in tensors])
        assert 0 <= int(state["filled"]) < SMALL["patch"]
    assert sizes[0] == sizes[1] == sizes[2]
    assert state["cache"]["keys"].shape == (1, 2, SMALL["window"] - 1, 8)


@pytest.mark.parametrize("preset", list(Transformer.presets()))
def test_declared_products_are_those_of_the_weights_and_of_attention(preset):
    spec = Transformer(**Transformer.presets()[preset])
    module = spec.build(BuildContext())
    matrices = {name: weight.numel() for name, weight in module.named_parameters() if weight.ndim > 1}
    per_token = sum(count for name, count in matrices.items() if name.startswith("tokens."))
    attention = 2 * spec.layers * spec.window * spec.dim
    per_sample = sum(matrices.values()) - per_token
    assert spec.traits(BuildContext()).macs == per_sample + (per_token + attention) / spec.patch


@pytest.mark.parametrize(("tokens", "window"), [(1, 4), (3, 4), (4, 4), (23, 4), (9, 2), (5, 50)])
def test_attention_reads_the_window_alone_and_counts_distances(tokens, window):
    draw = torch.Generator().manual_seed(tokens)
    query = torch.randn(2, 3, tokens, 6, generator=draw, dtype=torch.float64)
    key, value = (
        torch.randn(2, 3, window - 1 + tokens, 6, generator=draw, dtype=torch.float64) for _ in range(2)
    )
    found = windowed_attention(query, key, value, window)
    for n in range(tokens):
        seen = slice(n, n + window)
        places = torch.arange(1000, 1000 + window)
        scores = turned(query[:, :, n : n + 1], places[-1:]) @ turned(key[:, :, seen], places).mT / 6**0.5
        expected = scores.softmax(-1) @ value[:, :, seen]
        assert torch.allclose(found[:, :, n : n + 1], expected, atol=1e-10)


def test_patches_are_cut_and_joined_by_lines_on_one_grid_in_any_blocks():
    signal = torch.arange(29.0)[None, None]
    begun, filled, patches, drawn, points = torch.zeros(1, 1, 4), 0, [], [], torch.tensor([[[-8.0, -4.0]]])
    for block in signal.split([1, 6, 3, 9, 4, 6], dim=-1):
        start = filled
        whole, begun, filled = complete_patches(block, begun, filled)
        patches.append(whole)
        points = torch.cat((points, whole[..., 0, 0][:, None]), dim=-1)
        drawn.append(between_patches(points, 4, start, block.shape[-1]))
        points = points[..., -2:]
    assert torch.equal(torch.cat(patches, 1).flatten(), torch.arange(28.0))
    assert filled == 1
    # Each point is the first sample of its patch, and is reached two patches after that.
    assert torch.allclose(torch.cat(drawn, -1).flatten(), torch.arange(29.0) - 8)

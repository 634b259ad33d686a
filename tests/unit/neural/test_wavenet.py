"""The WaveNet against its definition, sample by sample, and against the sizes that were published."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit_neural.concat import Concat
from fxkit_neural.wavenet import LayerArray, WaveNet

CTX = BuildContext()
BENDS = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "leaky-relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "hardtanh": lambda x: np.clip(x, -1, 1),
    "hardswish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "softsign": lambda x: x / (1 + abs(x)),
    "softsigmoid": lambda x: 0.5 * (1 + x / (1 + abs(x))),
    "leaky-hardtanh": lambda x: np.where(x < -1, -1 + 0.01 * (x + 1), np.where(x > 1, 1 + 0.01 * (x - 1), x)),
}


def reference(spec, weights, signal):
    """Run the network on `signal` [samples], after a long silence, sample by sample in float64."""
    lead = sum(array.reach for array in spec.arrays)
    signal = np.concatenate((np.zeros(lead + 1), signal))
    stages = [(a, n) for a, array in enumerate(spec.arrays) for n in range(len(array.dilations))]
    inner = {stage: np.zeros((spec.arrays[stage[0]].channels, len(signal))) for stage in stages}
    totals = [np.zeros((array.heard, len(signal))) for array in spec.arrays]
    output = np.zeros(len(signal))
    for now, sample in enumerate(signal):
        flow, head = np.array([sample]), None
        for a, array in enumerate(spec.arrays):
            w = {
                key.removeprefix(f"arrays.{a}."): v
                for key, v in weights.items()
                if key.startswith(f"arrays.{a}.")
            }
            flow = w["rechannel.weight"][:, :, 0] @ flow
            total = np.zeros(array.heard) if head is None else head
            for n, (taps, dilation) in enumerate(zip(array.kernels, array.dilations, strict=True)):
                inner[a, n][:, now] = flow
                summed = w[f"layers.{n}.convolution.bias"] + w[f"layers.{n}.mix.weight"][:, 0, 0] * sample
                for tap in range(taps):
                    then = now - (taps - 1 - tap) * dilation
                    if then >= 0:
                        summed = (
                            summed + w[f"layers.{n}.convolution.weight"][:, :, tap] @ inner[a, n][:, then]
                        )
                if array.gating == "none":
                    heard = BENDS[array.activation](summed)
                else:
                    one, two = summed[: array.heard], BENDS[array.gate](summed[array.heard :])
                    bent = BENDS[array.activation](one)
                    heard = two * bent if array.gating == "gated" else two * bent + (1 - two) * one
                total = total + heard
                if f"layers.{n}.onward.weight" in w:
                    flow = (
                        flow + w[f"layers.{n}.onward.weight"][:, :, 0] @ heard + w[f"layers.{n}.onward.bias"]
                    )
            totals[a][:, now] = total
            head = w.get("head.bias", 0) + sum(
                w["head.weight"][:, :, tap] @ totals[a][:, now - (array.head_kernel - 1 - tap)]
                for tap in range(array.head_kernel)
                if now >= array.head_kernel - 1 - tap
            )
        output[now] = spec.head_scale * head[0]
    return output[lead + 1 :]


def restless(spec, seed=3):
    torch.manual_seed(seed)
    module = spec.build(CTX)
    for value in module.state_dict().values():
        value.add_(0.2 * torch.randn_like(value))
    return module


SHAPES = {
    "two arrays": WaveNet(
        arrays=(
            LayerArray(channels=4, dilations=(1, 2, 4)),
            LayerArray(channels=3, dilations=(1, 3), head_bias=True),
        )
    ),
    "taps of the head": WaveNet(
        arrays=(
            LayerArray(channels=3, dilations=(1, 5), kernel=(4, 2), head_kernel=3),
            LayerArray(channels=2, dilations=(2,), head_kernel=4, head_bias=True),
        ),
        head_scale=0.7,
    ),
    "gated bottleneck": WaveNet(
        arrays=(LayerArray(channels=4, dilations=(1, 2), bottleneck=2, gating="gated"),), head_scale=1.0
    ),
    "blended": WaveNet(
        arrays=(LayerArray(channels=3, dilations=(1, 2), activation="relu", gating="blended", gate="silu"),)
    ),
} | {
    name: WaveNet(arrays=(LayerArray(channels=3, dilations=(1, 2), activation=name),), head_scale=1.0)
    for name in BENDS
}


@pytest.mark.parametrize("spec", SHAPES.values(), ids=SHAPES)
def test_output_follows_the_definition(spec):
    module = restless(spec)
    weights = {name: value.double().numpy() for name, value in module.state_dict().items()}
    signal = torch.randn(80, generator=torch.Generator().manual_seed(1))
    output, _ = module(signal[None, None], {})
    expected = reference(spec, weights, signal.double().numpy())
    assert np.abs(output[0, 0].detach().numpy() - expected).max() < 1e-5 * max(1, np.abs(expected).max())


@pytest.mark.parametrize(
    ("preset", "weights"),
    [("standard", 13801), ("lite", 6553), ("feather", 3025), ("nano", 841), ("a2", 12145), ("a2-lite", 1870)],
)
def test_presets_have_the_published_sizes(preset, weights):
    module = WaveNet(**WaveNet.presets()[preset]).build(CTX)
    assert sum(value.numel() for value in module.state_dict().values()) == weights
    last = module.arrays[-1].layers[-1]
    untrained = sum(value.numel() for value in last.idle.state_dict().values())
    assert sum(value.numel() for value in module.parameters()) == weights - untrained


@pytest.mark.parametrize(("preset", "samples"), [("standard", 4093), ("nano", 4093), ("a2", 6347)])
def test_presets_hear_as_far_back_as_published(preset, samples):
    spec = WaveNet(**WaveNet.presets()[preset])
    assert spec.traits(CTX).receptive_field == samples


def test_defaults_are_the_standard_size():
    assert WaveNet() == WaveNet(**WaveNet.presets()["standard"])


def test_silence_at_the_start_is_already_settled():
    module = restless(WaveNet(**WaveNet.presets()["nano"]))
    with torch.no_grad():
        output, _ = module(torch.zeros(1, 1, 5000), {})
    assert float((output - output[..., :1]).abs().max()) < 1e-6 * float(output.abs().max())
    assert float(output[0, 0, 0]) != 0


@pytest.mark.parametrize("preset", ["standard", "nano", "a2"])
def test_streams_without_gradients_continue_those_with(preset):
    module = restless(WaveNet(**WaveNet.presets()[preset]))
    audio = 0.3 * torch.randn(2, 1, 1200)
    offline, last = module(audio, {})
    with torch.inference_mode():
        first, state = module(audio[..., :500], {})
    second, state = module(audio[..., 500:700], {}, {**state, "past": state["past"].clone()})
    with torch.no_grad():
        parts = []
        for block in audio[..., 700:].split((1, 64, 7, 428), dim=-1):
            part, state = module(block, {}, state)
            parts.append(part)
    joined = torch.cat((first, second.detach(), *parts), dim=-1)
    torch.testing.assert_close(joined, offline.detach(), rtol=1e-5, atol=1e-5)
    assert state["past"].shape == last["past"].shape


def test_changed_weights_are_heard_at_once():
    module = restless(SHAPES["two arrays"])
    audio = torch.ones(1, 1, 16)
    with torch.no_grad():
        before, _ = module(audio, {})
        module.arrays[1].head.bias.add_(1.0)
        changed, _ = module(audio, {})
        module.arrays[1].head.bias = torch.nn.Parameter(module.arrays[1].head.bias + 1.0)
        replaced, _ = module(audio, {})
    assert changed - before == pytest.approx(torch.full_like(before, 0.02), abs=1e-6)
    assert replaced - changed == pytest.approx(torch.full_like(before, 0.02), abs=1e-6)


def test_a_condition_is_read_beside_the_audio_by_every_layer():
    spec = WaveNet(arrays=SHAPES["two arrays"].arrays, conditioning=Concat(size=2))
    module = restless(spec)
    assert module.arrays[0].rechannel.weight.shape == (4, 3, 1)
    assert {layer.mix.weight.shape[1] for array in module.arrays for layer in array.layers} == {3}
    assert [parameter.name for parameter in spec.parameters(CTX)] == ["condition"]


@pytest.mark.parametrize(
    ("array", "option"),
    [
        (LayerArray(channels=2, dilations=()), "dilations"),
        (LayerArray(channels=2, dilations=(1, 2), kernel=(3,)), "kernel"),
        (LayerArray(channels=2, dilations=(1,), gate="relu"), "gate"),
    ],
)
def test_arrays_that_make_no_sense_are_refused(array, option):
    assert [name for name, _ in array.problems()] == [option]


def test_macs_are_those_that_run():
    spec = WaveNet(arrays=(LayerArray(channels=3, dilations=(1, 2), head_kernel=2),))
    # In: 1 * 3; two layers of 3 * (3 * 3 + 1); one 1x1 of 3 * 3; head 3 * 2.
    assert spec.traits(CTX).macs == 3 + 2 * 3 * 10 + 9 + 6

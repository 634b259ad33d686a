import pytest
import torch

from fxkit.context import BuildContext
from fxkit_synth.filtered_noise import FilteredNoise


def build(seed=0, channels=1, training=False):
    context = BuildContext(sample_rate=16000, hop=64, channels=0, target_channels=channels, seed=seed)
    return FilteredNoise().build(context).train(training)


def noise(module, samples=640, batch=1, gain=1.0):
    frames = (samples - 1) // 64 + 2
    return module(torch.zeros(batch, 0, samples), {"magnitudes": torch.full((batch, 65, frames), gain)})[0]


def test_a_gain_of_one_is_uniform_noise():
    assert noise(build(), 64000).std().item() == pytest.approx(3**-0.5, rel=0.01)


def test_a_render_is_repeatable_and_does_not_depend_on_the_batch():
    assert torch.equal(noise(build()), noise(build()))
    assert torch.allclose(noise(build(), batch=3)[2:], noise(build()), atol=1e-6)
    assert not torch.allclose(noise(build(seed=1)), noise(build(seed=2)))


def test_training_draws_new_noise_for_every_item_from_torch_s_generator():
    torch.manual_seed(5)
    first = noise(build(training=True), batch=2)
    again = noise(build(training=True), batch=2)
    torch.manual_seed(5)
    assert torch.equal(noise(build(training=True), batch=2), first)
    assert not torch.allclose(first, again)
    assert not torch.allclose(first[0], first[1])


def test_channels_are_independent():
    stereo = noise(build(channels=2), 64000)[0]
    assert torch.corrcoef(stereo)[0, 1].abs() < 0.02


@pytest.mark.parametrize("training", [False, True])
def test_blocks_join_without_a_seam(training):
    module = build(training=training)
    magnitudes = torch.rand(2, 65, 8)
    torch.manual_seed(0)
    whole, _ = module(torch.zeros(2, 0, 400), {"magnitudes": magnitudes})
    torch.manual_seed(0)
    parts, state, taken = [], None, 0
    for size, due in ((1, 2), (7, 0), (64, 1), (200, 3), (128, 2)):
        part, state = module(
            torch.zeros(2, 0, size), {"magnitudes": magnitudes[..., taken : taken + due]}, state
        )
        parts.append(part)
        taken += due
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)


def test_the_noise_starts_far_below_the_harmonics():
    (magnitudes,) = FilteredNoise(bands=9).parameters(BuildContext())
    assert magnitudes.defaults == (1e-3,) * 9
    assert magnitudes.rate == "frame"

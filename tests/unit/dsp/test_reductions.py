import pytest
import torch

from fxkit.context import BuildContext
from fxkit_dsp.bit_reduction import BitReduction
from fxkit_dsp.rate_reduction import RateReduction


def test_bits_count_levels_of_full_scale():
    ramp = torch.linspace(-0.999, 0.999, 4001)[None, None]
    out, _ = BitReduction().build(BuildContext())(ramp, {"bits": torch.full((1, 1, 1), 3.0)})
    assert sorted(set(out.flatten().tolist())) == [n / 4 for n in range(-4, 5)]
    risen, _ = BitReduction(steps="mid-rise").build(BuildContext())(
        ramp, {"bits": torch.full((1, 1, 1), 3.0)}
    )
    assert sorted(set(risen.flatten().tolist())) == [(2 * n + 1) / 8 for n in range(-4, 4)]


def test_words_of_24_bits_are_as_good_as_float32():
    audio = 0.5 * torch.randn(1, 1, 100)
    out, _ = BitReduction().build(BuildContext())(audio, {"bits": torch.full((1, 1, 1), 24.0)})
    assert torch.allclose(out, audio, atol=1e-7)


def test_the_rate_is_in_hertz_and_starts_at_the_sample_rate():
    ctx = BuildContext(sample_rate=8000)
    (rate,) = RateReduction().parameters(ctx)
    assert (rate.high, rate.default) == (8000, 8000)
    audio = torch.randn(1, 2, 32)
    module = RateReduction().build(ctx)
    assert torch.equal(module(audio, {"rate": torch.full((1, 1, 1), 8000.0)})[0], audio)
    held, _ = module(audio, {"rate": torch.full((1, 1, 1), 2000.0)})
    assert torch.equal(held, audio[..., ::4].repeat_interleave(4, -1))


def test_a_segment_holds_as_the_whole_does():
    module = RateReduction().build(BuildContext())
    audio, rate = torch.randn(3, 1, 4000), torch.full((3, 1, 1), 1234.5)
    whole, _ = module(audio, {"rate": rate})
    starts = torch.tensor([0, 777, 3000])
    segment = torch.stack([audio[n, :, start : start + 900] for n, start in enumerate(starts)])
    held, _ = module(segment, {"rate": rate}, module.state_at(starts))
    for n, start in enumerate(starts):
        # Until the first sample is taken the segment has nothing to hold.
        first = int((held[n, 0] != 0).nonzero()[0])
        assert first <= 39
        assert torch.equal(held[n, :, first:], whole[n, :, start + first : start + 900])


def test_learning_finds_the_rate_that_was_used():
    module = RateReduction().build(BuildContext())
    draw = torch.Generator().manual_seed(2)
    audio = torch.nn.functional.avg_pool1d(torch.randn(4, 1, 12000, generator=draw), 100, 1)

    def mean_step(rate):
        held, _ = module(audio, {"rate": rate.expand(4, 1, 1)})
        return (held - audio).square().mean()

    goal = float(mean_step(torch.tensor([[[6000.0]]])))
    logarithm = torch.tensor([[[20000.0]]]).log().requires_grad_()
    optimizer = torch.optim.Adam([logarithm], lr=0.03)
    for _ in range(150):
        optimizer.zero_grad()
        (mean_step(logarithm.exp()) / goal).log().square().sum().backward()
        optimizer.step()
    assert logarithm.exp().item() == pytest.approx(6000, rel=0.1)

"""Processors inside processors: parameters, state, latency, channels, terms and clocks pass through."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.parameter import Parameter
from fxkit.traits import Traits
from fxkit_dsp.dc_offset import DCOffset
from fxkit_dsp.dry_wet import DryWet
from fxkit_dsp.gain import Gain
from fxkit_dsp.pan import Pan
from fxkit_dsp.peak import Peak
from fxkit_dsp.polarity import Polarity
from fxkit_dsp.series import Series
from fxkit_dsp.width import Width
from fxkit_signal.delay import delay

CONTEXT = BuildContext(hop=16)


@attrs.frozen(kw_only=True)
class Late:
    """Delay by some samples, count blocks in a term, listen to a second input, keep a clock."""

    samples: int = 5
    channels_out: int | None = None
    source: bool = False
    inputs: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        return (Parameter(name="level", low=0.0, high=2.0, default=1.0),)

    def traits(self, ctx: BuildContext) -> Traits:
        return Traits(
            latency=self.samples, receptive_field=self.samples + 1, inputs=self.inputs, terms=self.terms,
            channels_out=self.channels_out, source=self.source,
        )  # fmt: skip

    def build(self, ctx: BuildContext) -> Any:
        return _Late(self, ctx)


class _Late:
    """Be no module, as a plugin may."""

    def __init__(self, spec: Late, ctx: BuildContext) -> None:
        self.spec, self.ctx = spec, ctx

    def __call__(self, audio: Any, params: Any, state: Any = None, **inputs: Any) -> Any:
        late, line = delay(audio * params["level"] + sum(inputs.values()), self.spec.samples, state)
        if self.spec.terms:
            return late, line, {"power": audio.square().mean(dim=(1, 2))}
        return late, line

    def state_at(self, starts: Any) -> Any:
        return starts.double()[:, None, None].expand(-1, 1, self.spec.samples)


def number(value: float) -> Any:
    return torch.full((1, 1, 1), value)


class TestSeries:
    def test_the_output_of_one_is_the_input_of_the_next(self) -> None:
        spec = Series(processors=(Gain(), DCOffset(), Gain()))
        names = [parameter.name for parameter in spec.parameters(CONTEXT)]
        assert names == ["0.gain_db", "1.offset", "2.gain_db"]
        audio = torch.randn(1, 1, 9)
        params = {"0.gain_db": number(6.0206), "1.offset": number(0.25), "2.gain_db": number(-12.0412)}
        out, _ = spec.build(CONTEXT)(audio, params)
        assert torch.allclose(out, (2 * audio + 0.25) / 4, atol=1e-5)

    def test_it_declares_what_its_members_amount_to(self) -> None:
        spec = Series(
            processors=(
                Late(inputs=("key",)),
                Late(samples=2, terms=("power",)),
                Pan(),
                Late(inputs=("key",)),
            )
        )
        traits = spec.traits(CONTEXT)
        assert (traits.latency, traits.receptive_field, traits.channels_out) == (12, 13, 2)
        assert (traits.inputs, traits.terms) == (("key",), ("1.power",))
        assert Series(processors=(Gain(), Peak())).traits(CONTEXT).receptive_field is None
        assert Series(processors=(Gain(),)).traits(CONTEXT).channels_out is None

    def test_inputs_and_terms_reach_their_members(self) -> None:
        spec = Series(processors=(Late(samples=1, inputs=("key",)), Late(samples=0, terms=("power",))))
        audio, key = torch.ones(2, 1, 4), torch.full((2, 1, 4), 2.0)
        params = {"0.level": torch.ones(2, 1, 1), "1.level": torch.ones(2, 1, 1)}
        out, _, terms = spec.build(CONTEXT)(audio, params, None, key=key)
        assert out[0, 0].tolist() == [0, 3, 3, 3]
        assert torch.allclose(terms["1.power"], torch.full((2,), 27 / 4))

    def test_blocks_carry_every_members_state(self) -> None:
        spec = Series(processors=(Late(), Peak(), Late(samples=3)))
        module = spec.build(CONTEXT)
        audio = torch.randn(1, 1, 100)
        params = {p.name: number(p.to_physical(0.7)) for p in spec.parameters(CONTEXT)}
        whole, _ = module(audio, params)
        parts, state = [], None
        for block in audio.split([1, 7, 64, 28], dim=-1):
            part, state = module(block, params, state)
            parts.append(part)
        assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)

    def test_clocks_of_members_are_set(self) -> None:
        module = Series(processors=(Gain(), Late(samples=2))).build(CONTEXT)
        first, second = module.state_at(torch.tensor([3, 4]))
        assert first is None
        assert second[:, 0].tolist() == [[3, 3], [4, 4]]

    def test_channels_follow_from_member_to_member(self) -> None:
        module = Series(processors=(Pan(), Width())).build(CONTEXT)
        out, _ = module(torch.ones(1, 1, 3), {"0.pan": number(0.0), "1.width": number(1.0)})
        assert out.shape == (1, 2, 3)

    def test_members_draw_from_seeds_of_their_own(self) -> None:
        module = Series(processors=(Late(), Late())).build(CONTEXT)
        first, second = (member.function.ctx.seed for member in module.members)
        assert first != second

    def test_a_source_may_only_be_first(self) -> None:
        with pytest.raises(
            AssemblyError, match=r"series: processors\[1\] is a source; only the first may be"
        ):
            Series(processors=(Gain(), Late(source=True))).build(CONTEXT)
        playing = attrs.evolve(CONTEXT, channels=0)
        assert Series(processors=(Late(source=True, channels_out=1), Gain())).traits(playing).source

    def test_a_series_of_nothing_is_refused(self) -> None:
        assert [name for name, _ in Series(processors=()).problems()] == ["processors"]


class TestDryWet:
    def test_the_mix_goes_from_dry_to_wet(self) -> None:
        spec = DryWet(processor=Polarity())
        module, audio = spec.build(CONTEXT), torch.randn(1, 1, 9)
        for mix, factor in ((0.0, 1.0), (0.5, 0.0), (0.75, -0.5), (1.0, -1.0)):
            assert torch.allclose(module(audio, {"mix": number(mix)})[0], factor * audio, atol=1e-6)

    def test_equal_power_is_kept_on_the_way(self) -> None:
        module = DryWet(processor=Gain(), law="power").build(CONTEXT)
        for mix in (0.0, 0.2, 0.5, 1.0):
            dry, wet = (float(gain) for gain in module._gains(torch.tensor(mix)))
            assert dry**2 + wet**2 == pytest.approx(1.0, abs=1e-6)

    def test_the_dry_side_is_as_late_as_the_wet_one(self) -> None:
        spec = DryWet(processor=Late())
        assert spec.traits(CONTEXT).latency == 5
        audio = torch.randn(1, 1, 40)
        params = {"mix": number(0.3), "level": number(1.0)}
        whole, _ = spec.build(CONTEXT)(audio, params)
        assert torch.allclose(whole, delay(audio, 5)[0], atol=1e-6)
        parts, state = [], None
        for block in audio.split([1, 3, 20, 16], dim=-1):
            part, state = spec.build(CONTEXT)(block, params, state)
            parts.append(part)
        assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)

    def test_mono_may_become_stereo_inside_but_not_the_other_way(self) -> None:
        out, _ = DryWet(processor=Pan()).build(CONTEXT)(
            torch.ones(1, 1, 2), {"mix": number(0.5), "pan": number(-1.0)}
        )
        assert torch.allclose(out[0, :, 0], torch.tensor([1.0, 0.5]), atol=1e-6)
        stereo = attrs.evolve(CONTEXT, channels=2)
        with pytest.raises(AssemblyError, match="dry-wet: cannot mix sides of different channels: 2 enter"):
            DryWet(processor=Late(channels_out=1)).build(stereo)

    def test_terms_inputs_and_clocks_pass_through(self) -> None:
        spec = DryWet(processor=Late(samples=1, inputs=("key",), terms=("power",)))
        module, ones = spec.build(CONTEXT), torch.ones(1, 1, 3)
        out, _, terms = module(ones, {"mix": number(1.0), "level": number(1.0)}, None, key=ones)
        assert out.flatten().tolist() == [0, 2, 2]
        assert list(terms) == ["power"]
        assert module.state_at(torch.tensor([7]))["inner"].flatten().tolist() == [7]

    def test_a_mix_inside_is_not_hidden(self) -> None:
        with pytest.raises(ValueError, match='has a parameter "mix" of its own'):
            DryWet(processor=DryWet(processor=Gain())).parameters(CONTEXT)
        outer = DryWet(processor=Series(processors=(DryWet(processor=Gain()),)))
        assert [parameter.name for parameter in outer.parameters(CONTEXT)] == ["mix", "0.mix", "0.gain_db"]

    def test_a_source_has_no_dry_side(self) -> None:
        with pytest.raises(AssemblyError, match="dry-wet: needs a processor that changes sound"):
            DryWet(processor=Late(source=True)).build(CONTEXT)

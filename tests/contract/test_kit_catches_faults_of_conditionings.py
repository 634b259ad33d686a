"""The kit notices a conditioning that does not keep its promises."""

from __future__ import annotations

import attrs
import pytest
import torch

from fxkit.parameter import Parameter
from fxkit.testing import trials_of
from fxkit.traits import ConditioningTraits

BLOCK = 48


@attrs.frozen(kw_only=True)
class Sound:
    """Scale each layer by its condition."""

    def parameters(self, ctx, widths):
        return (Parameter(name="condition", low=0, high=1, default=0.5, help="gain"),)

    def joined(self, ctx):
        return 0

    def traits(self, ctx, widths):
        return ConditioningTraits()

    def build(self, ctx, widths):
        return Scaled()


class Scaled(torch.nn.Module):
    def enter(self, audio, params, state=None):
        return audio, params["condition"], None

    def settle(self, layer, level, guide):
        return self.modulate(layer, level, guide[..., :1])

    def modulate(self, layer, signal, guide, state=None):
        return signal * guide, None


class Early(Scaled):
    """Scale by the maximum of the block that is going on, as published TFiLM does."""

    def modulate(self, layer, signal, guide, state=None):
        rest = -signal.shape[-1] % BLOCK
        blocks = torch.nn.functional.pad(signal, (0, rest)).unflatten(-1, (-1, BLOCK))
        peaks = blocks.amax(dim=-1, keepdim=True).expand_as(blocks)
        return signal * guide * peaks.flatten(-2)[..., : signal.shape[-1]], None


class Unsettled(Scaled):
    """Begin each layer with a fade from another level than the one it was settled at."""

    def settle(self, layer, level, guide):
        return 2 * level + 0.5, None


class Loud(Scaled):
    def enter(self, audio, params, state=None):
        return 2 * audio, params["condition"], None


class Wide(Scaled):
    def enter(self, audio, params, state=None):
        return torch.cat((audio, audio), dim=1), params["condition"], None


class Forgetful(Scaled):
    """Take the condition where the block of a stream begins."""

    def modulate(self, layer, signal, guide, state=None):
        return signal * guide[..., :1], None


CHEAP = ("check_joined", "check_settled", "check_streaming", "check_causality", "check_still_parameters")


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (Early, "check_causality"),
        (Early, "check_streaming"),
        (Unsettled, "check_settled"),
        (Loud, "check_joined"),
        (Wide, "check_joined"),
        (Forgetful, "check_streaming"),
    ],
)
def test_fault_is_found(fault, check):
    assert check in failures(fault)


def test_what_keeps_its_promises_passes():
    assert failures(Scaled) == set()


def failures(build) -> set[str]:
    made = attrs.make_class("Faulty", {}, bases=(Sound,), frozen=True, kw_only=True)
    made.build = lambda self, ctx, widths: build()
    found = set()
    for trial in trials_of("conditionings", made()):
        if trial.check.__name__ in CHEAP:
            try:
                trial()
            except (AssertionError, RuntimeError):
                found.add(trial.check.__name__)
    return found


def test_complaint_names_the_conditioning_and_not_the_network_around_it():
    made = attrs.make_class("Faulty", {}, bases=(Sound,), frozen=True, kw_only=True)
    made.build = lambda self, ctx, widths: Loud()
    trial = next(t for t in trials_of("conditionings", made()) if t.check.__name__ == "check_joined")
    with pytest.raises(AssertionError, match="Faulty changes the audio that the network reads"):
        trial()

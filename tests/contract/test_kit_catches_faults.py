"""The contract kit complains about each kind of fault that it exists to find."""

from __future__ import annotations

import attrs
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.testing import causality, gradients, interface, loss, options, robustness, streaming
from fxkit.testing.case import ControllerCase, ProcessorCase
from fxkit.testing.declaration import SpecCase
from fxkit.testing.imports import check_light_import
from fxkit.testing.loss import LossCase
from fxkit.testing.suite import CONTROLLER_CHECKS, LOSS_CHECKS, PROCESSOR_CHECKS
from fxkit.traits import ControlTraits, Traits

DRIVE = Parameter(name="drive", low=0.5, high=4.0, default=1.0)


class Driven(torch.nn.Module):
    """A processor that keeps every promise: drive, then a one-pole smoother with state."""

    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(1))

    def forward(self, audio, params, state=None):
        driven = torch.tanh(params["drive"] * audio + self.bias)
        last = torch.zeros_like(driven[..., :1]) if state is None else state
        joined = torch.cat((last, driven), dim=-1)
        return joined[..., 1:] + 0.5 * joined[..., :-1], driven[..., -1:]


@attrs.frozen(kw_only=True)
class Sound:
    """A spec around any module class."""

    module: type = opt(Driven, help="what is built")
    declared: Traits = opt(Traits(receptive_field=2), help="what is declared")

    def parameters(self, ctx):
        return (DRIVE,)

    def traits(self, ctx):
        return self.declared

    def build(self, ctx):
        return self.module()


class Late(Driven):
    def forward(self, audio, params, state=None):
        output, state = super().forward(audio, params, state)
        return torch.nn.functional.pad(output, (1, 0))[..., :-1], state


class Prescient(Driven):
    def forward(self, audio, params, state=None):
        ahead = torch.nn.functional.pad(audio, (0, 1))[..., 1:]
        return super().forward(audio + 0.1 * ahead, params, state)


class Forgetful(Driven):
    def forward(self, audio, params, state=None):
        return super().forward(audio, params, None)


class Normalising(Driven):
    def forward(self, audio, params, state=None):
        return super().forward(audio / audio.std(dim=0, keepdim=True).mean(), params, state)


class Cropping(Driven):
    def forward(self, audio, params, state=None):
        output, state = super().forward(audio, params, state)
        return output[..., :-1], state


class Random(Driven):
    def forward(self, audio, params, state=None):
        output, state = super().forward(audio, params, state)
        return output + 1e-3 * torch.rand_like(output), state


class Remembering(Driven):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, audio, params, state=None):
        output, following = super().forward(audio, params, state)
        if state is not None:
            state.mul_(0)
        return output, following


class _TwiceAsSteep(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values):
        return values.clone()

    @staticmethod
    def backward(ctx, gradient):
        return 2 * gradient


class WrongSlope(Driven):
    def forward(self, audio, params, state=None):
        return super().forward(_TwiceAsSteep.apply(audio), params, state)


class Unused(Driven):
    def __init__(self):
        super().__init__()
        self.spare = torch.nn.Parameter(torch.zeros(3))


class Dividing(Driven):
    def forward(self, audio, params, state=None):
        return super().forward(audio / (audio.abs().amax(dim=-1, keepdim=True)), params, state)


class Exploding(Driven):
    def forward(self, audio, params, state=None):
        return super().forward(audio, {"drive": 1 / (4.0 - params["drive"])}, state)


class Forked(Driven):
    def __init__(self):
        super().__init__()
        self.secret = float(torch.rand(()))

    def forward(self, audio, params, state=None):
        output, state = super().forward(audio, params, state)
        return self.secret * output, state


FAULTS = [
    (Late, Traits(), causality.check_latency, "declares a latency of 0"),
    (Prescient, Traits(), causality.check_causality, "is not causal: audio"),
    (Forgetful, Traits(), streaming.check_streaming, "differs from offline"),
    (Normalising, Traits(), interface.check_items_apart, "when its neighbours"),
    (Cropping, Traits(), interface.check_output_shape, "yields (3, 1, 599), declares (3, 1, 600)"),
    (Random, Traits(), interface.check_repeatable, "on a second call"),
    (Remembering, Traits(), interface.check_state_is_a_value, "changes the state"),
    (WrongSlope, Traits(), gradients.check_gradient_magnitude, "along audio"),
    (Unused, Traits(), gradients.check_gradients_reach, "gives spare no gradient"),
    (Dividing, Traits(), robustness.check_silence, "is not finite on silence"),
    (Exploding, Traits(), robustness.check_extremes, "is not finite with drive"),
    (Forked, Traits(), robustness.check_weights_travel, "loaded into a new module"),
    (Driven, Traits(receptive_field=1), causality.check_receptive_field, "2 were measured"),
    (Driven, Traits(receptive_field=3), causality.check_receptive_field, "2 were measured"),
]


@pytest.mark.parametrize("check", PROCESSOR_CHECKS)
def test_a_faultless_processor_passes(check):
    check(ProcessorCase(spec=Sound()))


@pytest.mark.parametrize(("module", "declared", "check", "complaint"), FAULTS)
def test_a_faulty_processor_is_named_with_its_fault(module, declared, check, complaint):
    with pytest.raises(AssertionError, match="Sound") as raised:
        check(ProcessorCase(spec=Sound(module=module, declared=declared)))
    assert complaint in str(raised.value)


@attrs.frozen(kw_only=True)
class Decorated(Sound):
    """A spec with an option that does nothing."""

    mood: float = opt(0.5, ge=0, le=1, help="dead")


def test_a_dead_option_is_named():
    case = ProcessorCase(spec=Decorated(), hints={"module": [Late], "declared": [Traits(latency=1)]})
    with pytest.raises(AssertionError, match="the same whatever the option mood is"):
        options.check_options(case)


class Bounded(torch.nn.Module):
    """The sigmoid of a tanh reaches 46 % of the range."""

    def __init__(self, count):
        super().__init__()
        self.logits = torch.nn.Parameter(torch.zeros(count))

    def forward(self, inputs, state=None):
        values = torch.sigmoid(torch.tanh(self.logits))
        return values[None, :, None].expand(inputs.audio.shape[0], -1, -1), None


class Peeking(torch.nn.Module):
    """Pools the block that a frame opens, as if its samples were known."""

    def __init__(self, count):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(count))

    def forward(self, inputs, state=None):
        pooled = torch.nn.functional.max_pool1d(inputs.audio.abs(), 48, ceil_mode=True)
        levels = torch.nn.functional.pad(pooled, (0, 1)).mean(dim=1, keepdim=True)
        return torch.sigmoid(self.gain[:, None] * levels), None


@attrs.frozen(kw_only=True)
class Control:
    """A spec around any controller."""

    module: type = opt(help="what is built")
    declared: ControlTraits = opt(ControlTraits(), help="what is declared")

    def traits(self, ctx):
        return self.declared

    def build(self, ctx):
        return self.module(ctx.control_size)


CONTROL_FAULTS = [
    (Bounded, ControlTraits(), robustness.check_whole_range, "comes no nearer than 0.26"),
    (Peeking, ControlTraits(rate="frame", hop=48), causality.check_causality, "is not causal: audio"),
]


@pytest.mark.parametrize(("module", "declared", "check", "complaint"), CONTROL_FAULTS)
def test_a_faulty_controller_is_named_with_its_fault(module, declared, check, complaint):
    assert check in CONTROLLER_CHECKS
    ctx = BuildContext(hop=48, parameters=(DRIVE,))
    with pytest.raises(AssertionError, match="Control") as raised:
        check(ControllerCase(spec=Control(module=module, declared=declared), ctx=ctx))
    assert complaint in str(raised.value)


def convergence_of_the_batch(output, batch):
    error = (output.audio - batch.target).norm() / batch.target.norm()
    return error.expand(output.audio.shape[0])


def mean_of_the_batch(output, batch):
    return (output.audio - batch.target).abs().mean()


def unguarded_ratio(output, batch):
    return ((output.audio - batch.target) ** 2).sum((1, 2)) / (batch.target**2).sum((1, 2))


def steep(output, batch):
    return (_TwiceAsSteep.apply(output.audio) - batch.target).abs().mean((1, 2))


def lopsided(output, batch):
    return (output.audio - 0.99 * batch.target).abs().mean((1, 2))


@attrs.frozen(kw_only=True)
class Measure:
    """A spec around any loss."""

    function: object = opt(help="what is built")

    def build(self, ctx):
        return self.function


LOSS_FAULTS = [
    (convergence_of_the_batch, loss.check_batching, "with the batch that it is in"),
    (mean_of_the_batch, loss.check_one_value_per_item, "returns () for 3 items"),
    (unguarded_ratio, loss.check_silent_signals, "is not finite on a silent target"),
    (steep, loss.check_loss_gradient, "finite differences give"),
    (lopsided, loss.check_zero_at_goal, "for a perfect output"),
]


@pytest.mark.parametrize(("function", "check", "complaint"), LOSS_FAULTS)
def test_a_faulty_loss_is_named_with_its_fault(function, check, complaint):
    assert check in LOSS_CHECKS
    with pytest.raises(AssertionError, match="Measure") as raised:
        check(LossCase(spec=Measure(function=function)))
    assert complaint in str(raised.value)


def test_a_spec_module_that_loads_torch_is_named(tmp_path, monkeypatch):
    (tmp_path / "heavy_plugin.py").write_text(
        "import attrs, torch\n\n@attrs.frozen(kw_only=True)\nclass Heavy:\n    '''Load torch.'''\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    import heavy_plugin

    with pytest.raises(AssertionError, match=r"heavy_plugin\.Heavy loads or raises when described: torch"):
        check_light_import(SpecCase(spec=heavy_plugin.Heavy(), kind="losses"))

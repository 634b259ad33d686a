"""Parameters that the experiment file fixes, limits, ties, or starts elsewhere."""

from __future__ import annotations

import pytest
import torch

from fxkit.engine.streaming import process
from fxkit.errors import AssemblyError
from fxkit.experiment.tables import ParameterKeys
from fxkit.model.assembly import build_model, model_context, parameter_groups
from fxkit_control.conv_control import ConvControl
from fxkit_control.lstm_control import LSTMControl


def build(kit, nodes, **rest):
    experiment = kit.make_experiment(nodes, tuple(nodes), **rest)
    ctx = model_context(experiment, channels=1, target_channels=1, knobs=())
    return build_model(experiment, ctx)


def factor(**keys):
    return {"factor": ParameterKeys(**keys)}


def noise(samples):
    return torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(0))


def in_blocks(model, audio, sizes):
    state, outputs = None, []
    for block in audio.split(sizes, dim=-1):
        output = model(block, state=state)
        state = output.state
        outputs.append(output)
    return outputs


class TestFixed:
    def test_it_needs_no_controller_and_keeps_its_value_to_the_bit(self, kit):
        model = build(kit, {"a": kit.node("a", kit.Scale(), parameters=factor(fixed=0.3))})
        output = model(noise(10))
        assert torch.equal(output.parameters["a.factor"], torch.full((2, 1, 1), 0.3))
        assert torch.equal(output.audio, noise(10) * torch.tensor(0.3))

    @pytest.mark.parametrize(("rate", "lengths"), [("frame", [3, 0, 1]), ("control", [1, 1, 1])])
    def test_it_comes_on_the_grid_that_the_processor_takes(self, kit, rate, lengths):
        spec = Recorder(rate)
        model = build(kit, {"a": kit.node("a", spec, parameters=factor(fixed=2.0))})
        in_blocks(model, noise(10), [6, 2, 2])
        assert [values.shape for values in spec.seen] == [(2, 1, length) for length in lengths]
        assert all(bool((values == 2.0).all()) for values in spec.seen)

    def test_only_the_rest_is_left_to_the_controller(self, kit):
        nodes = {
            "a": kit.node("a", kit.Scale(), "both", parameters=factor(fixed=3.0)),
            "b": kit.node("b", kit.Scale(), "both"),
        }
        shared = {
            "both": kit.make_part("controllers.both", "controllers", kit.Learned(), kit.ControllerKeys())
        }
        model = build(kit, nodes, controllers=shared)
        assert [one.name for one in model.plan.controllers["both"].ctx.parameters] == ["b.factor"]
        assert model.plan.controllers["both"].ctx.control_size == 1

    def test_it_is_no_weight(self, kit):
        nodes = {
            "a": kit.node("a", kit.Scale(), parameters=factor(fixed=3.0)),
            "b": kit.node("b", kit.Scale(), kit.Learned()),
        }
        model = build(kit, nodes)
        assert [name for name in model.state_dict() if ":a" in name] == []
        assert [group["name"] for group in parameter_groups(model, 0.1)] == ["b.controller"]

    def test_it_stands_once_among_the_tracks_of_a_whole_recording(self, kit):
        model = build(kit, {"a": kit.node("a", kit.Scale(), parameters=factor(fixed=3.0))})
        assert process(model, noise(40), block=8).parameters["a.factor"].shape == (2, 1, 1)


class TestRange:
    @pytest.mark.parametrize(("share", "value"), [(0.0, 0.5), (1.0, 1.5), (0.25, 0.75)])
    def test_the_controller_covers_the_range_that_is_left(self, kit, share, value):
        keys = factor(low=0.5, high=1.5)
        model = build(kit, {"a": kit.node("a", kit.Scale(), kit.Learned(start=share), parameters=keys)})
        assert model(noise(4)).parameters["a.factor"].flatten().tolist() == [pytest.approx(value)]

    def test_the_declared_end_stays_where_only_one_is_given(self, kit):
        node = kit.node("a", kit.Scale(), kit.Learned(), parameters=factor(low=0.5))
        (parameter,) = build(kit, {"a": node}).plan.nodes["a"].parameters
        assert (parameter.low, parameter.high, parameter.default) == (0.5, 4.0, 1.0)

    def test_a_start_is_the_default_that_the_controller_sees(self, kit):
        node = kit.node("a", kit.Scale(), kit.Learned(), parameters=factor(start=-2.5))
        model = build(kit, {"a": node})
        assert model.plan.controllers["a.controller"].ctx.parameters[0].defaults == (-2.5,)


class TestTie:
    def test_a_tied_parameter_has_the_value_of_the_other(self, kit):
        nodes = {
            "a": kit.node("a", kit.Scale(), kit.Learned(start=0.75)),
            "b": kit.node("b", kit.Scale(), parameters=factor(tie="a.factor")),
        }
        output = build(kit, nodes)(noise(6))
        assert torch.allclose(output.audio, 4 * noise(6))
        assert torch.equal(output.parameters["a.factor"], output.parameters["b.factor"])

    def test_a_narrow_range_of_the_other_holds_for_both(self, kit):
        nodes = {
            "a": kit.node("a", kit.Scale(), kit.Learned(start=0.5), parameters=factor(low=0.0, high=3.0)),
            "b": kit.node("b", kit.Scale(), parameters=factor(tie="a.factor")),
        }
        output = build(kit, nodes)(noise(6))
        assert output.parameters["b.factor"].flatten().tolist() == [1.5]

    def test_a_tie_to_a_tie_leads_to_its_end(self, kit):
        nodes = {
            "a": kit.node("a", kit.Scale(), parameters=factor(fixed=2.0)),
            "b": kit.node("b", kit.Scale(), parameters=factor(tie="a.factor")),
            "c": kit.node("c", kit.Scale(), parameters=factor(tie="b.factor")),
        }
        model = build(kit, nodes)
        assert model.plan.controllers == {}
        assert torch.equal(model(noise(6)).audio, 8 * noise(6))

    def test_each_gets_the_moving_value_at_its_own_rate(self, kit):
        frames = Recorder("frame")
        nodes = {
            "a": kit.node("a", kit.Scale(), kit.FrameCounter(hop=4)),
            "b": kit.node("b", frames, parameters=factor(tie="a.factor")),
        }
        model = build(kit, nodes)
        outputs = in_blocks(model, noise(20), [5, 1, 6, 8])
        steps = torch.cat([output.parameters["a.factor"] for output in outputs], -1)[0, 0]
        points = torch.cat(frames.seen, -1)[0, 0]
        assert points.tolist() == pytest.approx([-4 + 8 * k / 1000 for k in range(6)])
        assert steps.tolist() == pytest.approx([-4 + 8 * n / 4000 for n in range(20)])

    def test_gradients_of_both_reach_the_controller(self, kit):
        nodes = {
            "a": kit.node("a", kit.Scale(), kit.Learned(start=0.75)),
            "b": kit.node("b", kit.Scale(), parameters=factor(tie="a.factor")),
        }
        model = build(kit, nodes)
        model(torch.ones(1, 1, 1)).audio.sum().backward()
        # d (8 u - 4)^2 / du at u = 0.75
        assert next(model.drives.parameters()).grad.flatten().tolist() == [pytest.approx(2 * 2 * 8)]


class TestOwnController:
    def test_a_parameter_may_have_a_controller_apart_from_its_nodes(self, kit):
        keys = {"offset": ParameterKeys(controller="moving", low=0.0)}
        nodes = {
            "a": kit.node("a", Line(), kit.Learned(start=0.75), parameters=keys),
            "b": kit.node("b", kit.Scale(), "moving"),
        }
        model = build(kit, nodes, controllers=moving(kit))
        plan = model.plan
        assert {name: [one.name for one in c.ctx.parameters] for name, c in plan.controllers.items()} == {
            "a.controller": ["a.factor"],
            "moving": ["a.offset", "b.factor"],
        }
        output = torch.cat([one.audio for one in in_blocks(model, noise(20), [3, 1, 16])], -1)
        counted = torch.arange(20) / 4000
        assert torch.allclose(output, (2 * noise(20) + 4 * counted) * (8 * counted - 4), atol=1e-5)
        assert plan.still == {"a.factor"}

    def test_then_the_node_needs_none(self, kit):
        keys = {"offset": ParameterKeys(controller="moving"), "factor": ParameterKeys(fixed=1.0)}
        model = build(kit, {"a": kit.node("a", Line(), parameters=keys)}, controllers=moving(kit))
        assert list(model.plan.controllers) == ["moving"]


def moving(kit):
    return {
        "moving": kit.make_part("controllers.moving", "controllers", kit.FrameCounter(), kit.ControllerKeys())
    }


class TestRefused:
    """The reader says all this with its place in the file; what depends on the material is said here."""

    @pytest.mark.parametrize(
        ("keys", "message"),
        [
            ({"fixed": 5.0}, r"nodes\.a\.parameters\.factor\.fixed: 5\.0 is above the maximum 4"),
            ({"fixed": (1.0, 2.0)}, "2 values, and the parameter has 1; write 1 number"),
            ({"low": 2.0}, r"leaves out the default, 1; write start, too, such as 3"),
            ({"controller": "nobody"}, 'nodes.a: no controller "nobody"'),
            ({"tie": "z.factor"}, r'nodes\.a\.parameters\.factor\.tie: "z\.factor" is no parameter'),
            ({"tie": "a.factor"}, r'"a\.factor" is no parameter of this or an earlier node'),
        ],
    )
    def test_a_table_that_does_not_fit(self, kit, keys, message):
        with pytest.raises(AssemblyError, match=message):
            build(kit, {"a": kit.node("a", kit.Scale(), kit.Learned(), parameters=factor(**keys))})

    def test_a_parameter_that_the_processor_does_not_have(self, kit):
        keys = {"facto": ParameterKeys(fixed=1.0)}
        with pytest.raises(AssemblyError, match=r"nodes\.a\.parameters\.facto: .*no such parameter"):
            build(kit, {"a": kit.node("a", kit.Scale(), kit.Learned(), parameters=keys)})

    def test_a_tie_to_a_later_node(self, kit):
        nodes = {
            "a": kit.node("a", kit.Scale(), parameters=factor(tie="b.factor")),
            "b": kit.node("b", kit.Scale(), kit.Learned()),
        }
        with pytest.raises(AssemblyError, match="no parameter of this or an earlier node"):
            build(kit, nodes)

    def test_a_controller_that_moves_what_is_tied_and_must_stand_still(self, kit):
        nodes = {
            "a": kit.node("a", kit.Scale(), kit.FrameCounter()),
            "b": kit.node("b", kit.Scale(rate="constant"), parameters=factor(tie="a.factor")),
        }
        with pytest.raises(AssemblyError, match=r"moves over time, and b\.factor must stay constant"):
            build(kit, nodes)


def test_each_controller_learns_at_its_own_rate(kit):
    keys = kit.ControllerKeys
    nodes = {name: kit.node(name, kit.Scale(), name) for name in ("fast", "slow", "still")}
    controllers = {
        "fast": kit.make_part("controllers.fast", "controllers", kit.Learned(), keys(lr=10.0)),
        "slow": kit.make_part("controllers.slow", "controllers", kit.Learned(), keys(lr=0.1)),
        "still": kit.make_part("controllers.still", "controllers", kit.Learned(), keys(freeze=True)),
    }
    model = build(kit, nodes, controllers=controllers)
    groups = parameter_groups(model, 0.01)
    assert {group["name"]: group["lr"] for group in groups} == {"fast": 0.1, "slow": pytest.approx(0.001)}
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    torch.optim.SGD(groups).step()
    moved = {name: (before[name] - weight).item() for name, weight in model.named_parameters()}
    assert [round(moved[f"drives.:{name}.controller.value"], 6) for name in nodes] == [0.1, 0.001, 0.0]


@pytest.mark.parametrize("shared", [False, True])
def test_what_a_controller_hears_counts_in_the_receptive_field(kit, shared):
    control = ConvControl(channels=2, kernel=2, dilations=(1, 3), hop=4)
    shape = {
        "controllers": {"c": kit.make_part("controllers.c", "controllers", control, kit.ControllerKeys())}
    }
    nodes = {"a": kit.node("a", kit.Scale(), "c"), "b": kit.node("b", kit.Late(samples=2))}
    if shared:
        nodes["c"] = kit.node("c", kit.Scale(), "c")
    torch.manual_seed(0)
    model = build(kit, nodes, **shape).double()
    for weight in model.parameters():
        torch.nn.init.normal_(weight)
    audio = torch.randn(1, 1, 120, dtype=torch.float64, requires_grad=True)
    reached = []
    for moment in range(100, 104):
        (gradient,) = torch.autograd.grad(model(audio).audio[0, 0, moment], audio)
        reached.append(moment + 1 - int(gradient[0, 0].nonzero()[0]))
    assert max(reached) == model.plan.receptive_field == (1 + 4) * 4 + 2 * 4 + 2


def test_a_controller_that_remembers_for_ever_makes_the_receptive_field_unbounded(kit):
    model = build(kit, {"a": kit.node("a", kit.Scale(), LSTMControl())})
    assert model.plan.receptive_field is None


class Line:
    """Multiply and add."""

    def parameters(self, ctx):
        from fxkit import Parameter

        return tuple(Parameter(name=name, low=-4, high=4, default=1) for name in ("factor", "offset"))

    def traits(self, ctx):
        from fxkit import Traits

        return Traits(receptive_field=1)

    def build(self, ctx):
        return lambda audio, params, state=None: (audio * params["factor"] + params["offset"], state)


class Recorder:
    """Declare one parameter at a rate and keep what it is given."""

    def __init__(self, rate: str) -> None:
        self.rate = rate
        self.seen: list[torch.Tensor] = []

    def parameters(self, ctx):
        from fxkit import Parameter

        return (Parameter(name="factor", low=-4, high=4, default=1, rate=self.rate),)

    def traits(self, ctx):
        from fxkit import Traits

        return Traits()

    def build(self, ctx):
        def process(audio, params, state=None):
            self.seen.append(params["factor"])
            return audio, state

        return process

"""The model graph: series, parallel, latency, drives, named inputs, state."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.engine.course import Course
from fxkit.engine.setup import prepare
from fxkit.engine.streaming import process
from fxkit.errors import AssemblyError
from fxkit.model.assembly import build_model, model_context, parameter_groups


def build(kit, nodes, chain, channels=1, target_channels=1, **rest):
    experiment = kit.make_experiment(nodes, chain, **rest)
    ctx = model_context(experiment, channels=channels, target_channels=target_channels, knobs=())
    return build_model(experiment, ctx)


def noise(samples, batch=2, channels=1):
    return torch.randn(batch, channels, samples, generator=torch.Generator().manual_seed(0))


def test_series_applies_nodes_in_order(kit):
    nodes = {
        "a": kit.node("a", kit.Scale(), kit.Learned(start=0.75)),
        "b": kit.node("b", kit.Late(samples=2)),
    }
    x = noise(20)
    output = build(kit, nodes, ("a", "b"))(x)
    expected = torch.cat([torch.zeros(2, 1, 2), 2.0 * x[..., :-2]], -1)
    assert torch.allclose(output.audio, expected)
    assert output.latency == 2


def test_parallel_branches_are_summed_and_named_as_stems(kit):
    nodes = {
        "low": kit.node("low", kit.Scale(), kit.Learned(start=0.75)),
        "high": kit.node("high", kit.Scale(), kit.Learned(start=0.625)),
    }
    x = noise(16)
    output = build(kit, nodes, (("low", "high"),))(x)
    assert torch.allclose(output.audio, 3.0 * x)
    assert torch.allclose(output.stems["low"], 2.0 * x)
    assert torch.allclose(output.stems["high"], 1.0 * x)


def test_a_late_branch_makes_the_others_wait(kit):
    nodes = {
        "late": kit.node("late", kit.Late(samples=5)),
        "now": kit.node("now", kit.Scale(), kit.Learned(start=0.625)),
    }
    x = noise(30)
    model = build(kit, nodes, (("late", "now"),))
    aligned = process(model, x)
    assert model.latency == 5
    assert torch.allclose(aligned.audio, 2 * x, atol=1e-6)


def test_a_chain_inside_a_branch_is_a_series_again(kit):
    nodes = {name: kit.node(name, kit.Scale(), kit.Learned(start=0.75)) for name in ("a", "b", "c")}
    x = noise(8)
    output = build(kit, nodes, ((("a", "b"), "c"),))(x)
    assert torch.allclose(output.audio, 4 * x + 2 * x)
    assert set(output.stems) == {"a+b", "c"}


def test_a_source_plays_beside_the_audio(kit):
    nodes = {
        "tone": kit.node("tone", kit.Tone()),
        "dry": kit.node("dry", kit.Scale(), kit.Learned(start=0.625)),
    }
    x = noise(8)
    output = build(kit, nodes, (("tone", "dry"),))(x)
    assert torch.allclose(output.audio, x + torch.arange(8.0))


def test_a_model_without_input_plays_from_zero_channels(kit):
    model = build(kit, {"tone": kit.node("tone", kit.Tone())}, ("tone",), channels=0)
    output = process(model, torch.zeros(1, 0, 10), block=3)
    assert torch.equal(output.audio, torch.arange(10.0)[None, None])


def test_one_controller_drives_several_nodes(kit):
    shared = kit.make_part("controllers.both", "controllers", kit.Learned(start=0.75), kit.ControllerKeys())
    nodes = {name: kit.node(name, kit.Scale(), "both") for name in ("a", "b")}
    model = build(kit, nodes, ("a", "b"), controllers={"both": shared})
    output = model(torch.ones(1, 1, 4))
    assert torch.allclose(output.audio, torch.full((1, 1, 4), 4.0))
    assert set(output.parameters) == {"a.factor", "b.factor"}
    assert [group["name"] for group in parameter_groups(model, 0.1)] == ["both"]


def test_named_inputs_and_terms_reach_the_node(kit):
    nodes = {
        "half": kit.node("half", kit.Scale(), kit.Learned(start=0.5625)),
        "duck": kit.node("duck", kit.Duck(), inputs={"sidechain": "input"}),
    }
    x = noise(12)
    output = build(kit, nodes, ("half", "duck"))(x)
    assert torch.allclose(output.audio, 0.5 * x - x)
    assert torch.allclose(output.terms["duck.level"], x.abs().mean((1, 2)))


def test_frames_are_interpolated_to_samples_before_the_mapping(kit):
    nodes = {"a": kit.node("a", kit.Scale(low=0.0, high=1000.0), kit.FrameCounter(hop=4))}
    output = build(kit, nodes, ("a",))(torch.ones(1, 1, 10))
    assert torch.allclose(output.audio[0, 0], torch.arange(10) / 4, atol=1e-4)


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_any_split_into_blocks_gives_the_offline_result(kit_values, sizes):
    _, model = kit_values
    x = noise(sum(sizes))
    offline = model(x).audio
    state, start, pieces = None, 0, []
    for size in sizes:
        output = model(x[..., start : start + size], state=state)
        state, start = output.state, start + size
        pieces.append(output.audio)
    assert torch.allclose(torch.cat(pieces, -1), offline, atol=1e-6)


@pytest.fixture(scope="module")
def kit_values(request):
    kit = request.getfixturevalue("module_kit")
    nodes = {
        "late": kit.node("late", kit.Late(samples=7)),
        "moving": kit.node("moving", kit.Scale(), kit.FrameCounter(hop=5)),
        "tone": kit.node("tone", kit.Tone()),
    }
    return kit, build(kit, nodes, (("late", "moving", "tone"),))


@pytest.mark.parametrize(
    ("nodes", "chain", "channels", "words"),
    [
        ({"tone": ("Tone", None)}, ("tone",), 1, "would drop what enters it"),
        ({"late": ("Late", None)}, ("late",), 0, "needs audio, and none enters"),
        ({"a": ("Scale", None)}, ("a",), 1, "give it a controller"),
        ({"a": ("Duck", None)}, ("a",), 1, "needs inputs.sidechain"),
    ],
)
def test_nodes_that_do_not_fit_are_named(kit, nodes, chain, channels, words):
    made = {name: kit.node(name, getattr(kit, spec)()) for name, (spec, _) in nodes.items()}
    with pytest.raises(AssemblyError, match=words) as caught:
        build(kit, made, chain, channels=channels)
    assert caught.value.path == f"nodes.{chain[0]}"


def test_a_moving_controller_on_a_constant_parameter_is_refused(kit):
    nodes = {"a": kit.node("a", kit.Scale(rate="constant"), kit.FrameCounter())}
    with pytest.raises(AssemblyError, match="must stay constant"):
        build(kit, nodes, ("a",))


def test_frames_on_another_hop_than_the_runs_are_refused(kit):
    nodes = {"a": kit.node("a", kit.Scale(rate="frame"), kit.FrameCounter(hop=8))}
    with pytest.raises(AssemblyError, match=r"run\.hop = 4"):
        build(kit, nodes, ("a",))


def test_channels_that_differ_from_the_recordings_are_refused(kit):
    with pytest.raises(AssemblyError, match="ends with 1 channel"):
        build(kit, {"late": kit.node("late", kit.Late())}, ("late",), target_channels=2)


def test_a_frozen_node_has_no_group_and_a_factor_scales_the_rate(kit):
    nodes = {
        "a": kit.node("a", kit.Scale(), kit.Learned()),
        "b": kit.node("b", kit.Scale(), kit.Learned()),
    }
    import attrs

    slow = attrs.evolve(nodes["a"].keys.controller, keys=kit.ControllerKeys(lr=0.1))
    still = attrs.evolve(nodes["b"].keys.controller, keys=kit.ControllerKeys(freeze=True))
    nodes["a"] = attrs.evolve(nodes["a"], keys=attrs.evolve(nodes["a"].keys, controller=slow))
    nodes["b"] = attrs.evolve(nodes["b"], keys=attrs.evolve(nodes["b"].keys, controller=still))
    groups = parameter_groups(build(kit, nodes, ("a", "b")), 0.5)
    assert [(group["name"], group["lr"]) for group in groups] == [("a.controller", pytest.approx(0.05))]


def test_a_model_with_nothing_to_train_says_so(kit):
    experiment = kit.make_experiment({"late": kit.node("late", kit.Late())}, ("late",))
    with pytest.raises(AssemblyError, match="nothing can be trained"):
        Course(prepared=prepare(experiment, device="cpu"), report=print)


def test_each_node_has_a_seed_of_its_own_that_the_runs_seed_decides(kit):
    def seeds(seed):
        nodes = {name: kit.node(name, kit.Tone()) for name in ("a", "b")}
        plan = build(kit, nodes, (("a", "b"),), channels=0, run={"seed": seed}).plan
        return [node.ctx.seed for node in plan.nodes.values()]

    assert seeds(1) == seeds(1)
    assert len({*seeds(1), *seeds(2)}) == 4


def test_a_number_of_channels_that_a_node_does_not_take_is_refused(kit):
    import attrs

    from fxkit.traits import Traits

    class Pairs(kit.Late):
        def traits(self, ctx):
            return Traits(channels_in=(2,))

    nodes = {"width": kit.node("width", attrs.frozen(kw_only=True)(Pairs)())}
    with pytest.raises(AssemblyError, match=r"takes 2 channel\(s\), 1 enter it"):
        build(kit, nodes, ("width",))
    assert build(kit, nodes, ("width",), channels=2, target_channels=2).latency == 0

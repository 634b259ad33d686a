"""What a step computes: windows, parts of a batch, precision, recomputing, compiling, clipping, rules."""

from __future__ import annotations

import attrs
import pytest
import torch

from fxkit import Traits, opt
from fxkit.engine.course import Course
from fxkit.engine.nest import detached, packed, unpacked
from fxkit.engine.setup import prepare
from fxkit.engine.streaming import process
from fxkit.engine.windows import run_window, windows_of
from fxkit.errors import AssemblyError, NonFiniteError, RunError
from fxkit.job import training_segments


@attrs.frozen(kw_only=True)
class Recurrent:
    """Run a small LSTM."""

    half: bool = opt(True, help="declare that it runs in half precision")

    def parameters(self, ctx):
        return ()

    def traits(self, ctx):
        return Traits(autocast=self.half)

    def build(self, ctx):
        return _Recurrent()


class _Recurrent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(1, 4, batch_first=True)
        self.head = torch.nn.Linear(4, 1)
        self.seen = []

    def forward(self, audio, params, state=None):
        hidden, state = self.lstm(audio.transpose(1, 2), state)
        self.seen.append(hidden.dtype)
        return audio + self.head(hidden).transpose(1, 2), state

    def weight_rules(self):
        return {"lstm.weight_hh_l0": {"lr": 0.1, "weight_decay": 0.0}, "head.bias": {"weight_decay": 0.5}}


@attrs.frozen(kw_only=True)
class Filter:
    """Convolve with a learned kernel."""

    def parameters(self, ctx):
        return ()

    def traits(self, ctx):
        return Traits(receptive_field=5)

    def build(self, ctx):
        return _Filter()


class _Filter(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv1d(1, 1, 5, bias=False)

    def forward(self, audio, params, state=None):
        past = audio.new_zeros(audio.shape[0], 1, 4) if state is None else state
        whole = torch.cat([past, audio], dim=-1)
        return self.conv(whole), whole[..., -4:]


def nodes(kit, **keys):
    return {
        "a": kit.node("a", kit.Scale(), kit.FrameCounter(hop=4)),
        "late": kit.node("late", kit.Late(samples=9)),
        "amp": kit.node("amp", Recurrent(), None, **keys),
    }


CHAIN = ("a", "late", "amp")


def course_of(kit, *, keys=None, chain=CHAIN, table=None, data=None, **rest):
    experiment = kit.make_experiment(
        table or nodes(kit, **(keys or {})), chain, data=data or kit.Doubler(samples=2000), **rest
    )
    prepared = prepare(experiment, device="cpu")
    return Course(prepared=prepared, report=lambda text: messages.append(text)), prepared


messages: list[str] = []


def batch_of(course, prepared, number=0):
    return training_segments(prepared, course.stage).batch(number)


def gradients(prepared):
    return [None if w.grad is None else w.grad.clone() for w in prepared.model.parameters()]


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize("length", [16, 32, 64])
def test_windows_together_give_the_prediction_of_the_whole_segment(kit, warm, length):
    train = {"window": length, "warmup_gradient": warm}
    course, prepared = course_of(kit, train=train, data_keys={"segment": 64, "warmup": 20})
    batch = batch_of(course, prepared)
    whole = process(prepared.model, batch.input).audio[..., 20:-9]
    pieces, targets, state = [], [], None
    for window in windows_of(course.stage):
        output, scored = run_window(prepared.model, batch, window, state, hop=4)
        cut = scored.warmup + output.latency
        pieces.append(output.audio[..., cut:])
        targets.append(scored.target[..., scored.warmup : scored.target.shape[-1] - output.latency])
        state = detached(output.state)
    assert [piece.shape[-1] for piece in pieces] == [length - 9, *[length] * (64 // length - 1)]
    assert torch.equal(torch.cat(targets, -1), batch.target[..., 20:-9])
    torch.testing.assert_close(torch.cat(pieces, -1), whole, atol=1e-6, rtol=0)


def test_frames_of_features_fall_due_window_by_window(kit):
    course, prepared = course_of(kit, train={"window": 16}, data_keys={"segment": 64, "warmup": 10})
    seen = []

    def model(audio, *, features, **rest):
        seen.append(features["pitch"])
        return prepared.model(audio, features=features, **rest)

    batch = batch_of(course, prepared)
    frames = torch.arange(20.0).expand(batch.target.shape[0], 1, 20)
    batch = attrs.evolve(batch, features={"pitch": frames})
    state = None
    for window in windows_of(course.stage):
        output, _ = run_window(model, batch, window, state, hop=4)
        state = output.state
    # Samples 0 to 74 lie between frames 0 and 19; each is given once, in the block that needs it first.
    assert torch.equal(torch.cat(seen, -1), frames)
    assert [part.shape[-1] for part in seen] == [4, 4, 4, 4, 4]


def test_a_step_counts_for_each_window_and_a_batch_lasts_for_all_of_them(kit):
    course, _ = course_of(kit, train={"window": 16}, data_keys={"segment": 64})
    assert [course.batch_at(step) for step in range(9)] == [0, 0, 0, 0, 1, 1, 1, 1, 2]


def test_a_window_within_the_latency_is_refused(kit):
    with pytest.raises(AssemblyError, match=r"train\.window: 8 samples are not more than .* latency of 9"):
        course_of(kit, train={"window": 8}, data_keys={"segment": 64})


def test_a_carried_state_can_be_saved_and_put_back():
    state = {"a": (torch.arange(3.0)[1:], None), "b": [torch.tensor(5)], "c": {}}
    again = unpacked(packed(state), "cpu")
    assert again["a"][1] is None
    assert torch.equal(again["a"][0], state["a"][0])
    assert again["a"][0].untyped_storage().nbytes() == 8
    assert int(again["b"][0]) == 5


@pytest.mark.parametrize("window", [None, 32])
def test_parts_of_a_batch_have_the_gradient_of_the_whole(kit, window):
    def found(accumulate):
        train = {"batch_size": 6, "accumulate": accumulate, "window": window}
        course, prepared = course_of(kit, train=train, data_keys={"segment": 64, "warmup": 10})
        losses = course.step(0, batch_of(course, prepared))
        return losses.plain(), gradients(prepared)

    losses, grads = found(1)
    for accumulate in (2, 3, 6):
        others, parts = found(accumulate)
        assert others == pytest.approx(losses, rel=1e-6)
        for one, other in zip(grads, parts, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)


def test_recomputing_a_node_changes_no_bit(kit):
    def found(again):
        course, prepared = course_of(kit, keys={"recompute": again})
        for step in range(3):
            course.step(step, batch_of(course, prepared, step))
        return list(prepared.model.parameters()), len(prepared.model.node("amp").seen)

    (plain, once), (recomputed, twice) = found(False), found(True)
    assert twice == 2 * once
    assert all(torch.equal(one, other) for one, other in zip(plain, recomputed, strict=True))


def test_warming_up_without_a_gradient_gives_the_same_losses_and_less_of_the_gradient(kit):
    def found(flows):
        train = {"warmup_gradient": flows}
        course, prepared = course_of(kit, train=train, data_keys={"segment": 16, "warmup": 64})
        losses = course.step(0, batch_of(course, prepared))
        module = prepared.model.node("amp")
        return losses.plain(), module.lstm.weight_hh_l0.grad, module.head.weight.grad

    (with_it, full, head), (without, cut, same) = found(True), found(False)
    assert with_it == pytest.approx(without, rel=1e-6)
    assert float((full - cut).norm() / full.norm()) > 1e-3
    torch.testing.assert_close(head, same)


@pytest.mark.parametrize("half", [True, False])
def test_half_precision_reaches_the_processors_that_declare_it_and_nothing_else(kit, half):
    table = {"amp": kit.node("amp", Recurrent(half=half))}
    measured = []
    losses = {"noted": kit.make_part("losses.noted", "losses", Noting(into=measured), kit.LossKeys())}
    course, prepared = course_of(kit, table=table, chain=("amp",), train={"precision": "bf16"}, losses=losses)
    course.step(0, batch_of(course, prepared))
    assert prepared.model.node("amp").seen == [torch.bfloat16 if half else torch.float32]
    assert measured == [torch.float32]
    assert all(weight.dtype == torch.float32 for weight in prepared.model.parameters())


@attrs.frozen
class Noting:
    """Measure the power, and note in what numbers."""

    into: list

    def build(self, ctx):
        def measure(output, batch):
            self.into.append(output.audio.dtype)
            return output.audio.square().mean((1, 2))

        return measure


def test_fp16_is_refused_on_the_cpu_with_what_to_write_instead(kit):
    with pytest.raises(RunError, match=r'train\.precision: "fp16" cannot be used on cpu: .* "float32"'):
        course_of(kit, train={"precision": "fp16"})


def test_gradients_are_clipped_by_value_and_by_norm(kit):
    _, prepared = course = course_of(kit, train={"clip_value": 1e-4})
    course[0].step(0, batch_of(course[0], prepared))
    entries = torch.cat([grad.flatten() for grad in gradients(prepared) if grad is not None])
    assert float(entries.abs().max()) == pytest.approx(1e-4)
    _, prepared = course = course_of(kit, train={"clip_norm": 1e-3})
    course[0].step(0, batch_of(course[0], prepared))
    entries = torch.cat([grad.flatten() for grad in gradients(prepared) if grad is not None])
    assert float(entries.norm()) == pytest.approx(1e-3, rel=1e-3)


def test_rules_of_a_module_and_keys_of_its_node_make_groups(kit):
    course, prepared = course_of(kit, keys={"lr": 2.0, "weight_decay": 0.25})
    groups = course.learners[0].optimizer.param_groups
    module = prepared.model.node("amp")
    names = {id(weight): name for name, weight in module.named_parameters()}
    found = {
        names[id(weight)]: (group["lr"], group["weight_decay"])
        for group in groups
        for weight in group["params"]
    }
    rate = pytest.approx(0.008)
    assert found["lstm.weight_ih_l0"] == found["head.weight"] == (rate, 0.25)
    assert found["lstm.weight_hh_l0"] == (pytest.approx(0.0008), 0.0)
    assert found["lstm.bias_ih_l0"] == (rate, 0)
    assert found["head.bias"] == (rate, 0.5)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"lstm.weight": {"lr": 1.0}}, 'amp: weight_rules: no weight "lstm.weight"'),
        ({"head.bias": {"decay": 1.0}}, 'amp: weight_rules: "decay" of head.bias is neither lr nor'),
    ],
)
def test_a_rule_that_says_nothing_is_refused(kit, monkeypatch, rules, message):
    monkeypatch.setattr(_Recurrent, "weight_rules", lambda self: rules)
    with pytest.raises(AssemblyError, match=message):
        course_of(kit)


def test_what_cannot_be_compiled_runs_as_it_is_and_says_why(kit, monkeypatch):
    def broken(module, **options):
        def call(*arguments, **named):
            torch.rand(3)
            raise RuntimeError("no compiler\nin the house")

        return call

    def found(compiled):
        table = {"fir": kit.node("fir", Filter()), "amp": kit.node("amp", Recurrent())}
        course, prepared = course_of(kit, table=table, chain=("fir", "amp"), train={"compile": compiled})
        for step in range(2):
            course.step(step, batch_of(course, prepared, step))
        return list(prepared.model.parameters())

    monkeypatch.setattr(torch, "compile", broken)
    messages.clear()
    pairs = zip(found(False), found(True), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert messages == ["train.compile: not compiled, as it failed: RuntimeError: no compiler"]


def test_only_processors_of_finite_memory_are_compiled(kit, monkeypatch):
    chosen = []
    monkeypatch.setattr(torch, "compile", lambda module, **options: chosen.append(module) or module)
    table = {"fir": kit.node("fir", Filter()), "amp": kit.node("amp", Recurrent())}
    course, prepared = course_of(kit, table=table, chain=("fir", "amp"), train={"compile": True})
    course.step(0, batch_of(course, prepared))
    assert chosen == [prepared.model.node("fir")]


def test_a_loss_that_is_not_finite_changes_no_weight(kit):
    course, prepared = course_of(kit)
    before = [weight.clone() for weight in prepared.model.parameters()]
    batch = batch_of(course, prepared)
    spoilt = attrs.evolve(batch, target=batch.target * float("nan"))
    with pytest.raises(NonFiniteError, match="mse, total is not finite"):
        course.step(0, spoilt)
    assert all(
        torch.equal(one, other) for one, other in zip(before, prepared.model.parameters(), strict=True)
    )

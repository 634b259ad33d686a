"""The contract kit complains about faults in plugins of every other kind, and passes the faultless."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest
import torch

import fxkit
from fxkit.errors import DataError
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.testing import contract_tests, trials_of
from fxkit.testing.stock import Descent, Noise, Softener
from fxkit.traits import Traits
from fxkit.values import Recording


def failed(kind, plugin, *checks):
    """Return check -> complaint of the checks (all but of the import where none are named) that it fails."""
    found = {}
    for trial in trials_of(kind, plugin):
        if trial.title in checks if checks else trial.title != "light import":
            try:
                trial()
            except AssertionError as error:
                found.setdefault(trial.title, str(error))
    return found


@attrs.frozen(kw_only=True)
class Level:
    """Follow the level: a feature without a fault."""

    floor: float = opt(-60.0, unit="dB", ge=-120, le=0, help="level that silence reads")
    fault: str = opt("", help="what is wrong with it", choices=("", "late", "short", "random", "nan", "deaf"))

    @classmethod
    def examples(cls):
        return (cls(),)

    def dims(self, ctx):
        return 1

    def build(self, ctx):
        def level(audio):
            samples, hop = audio.shape[-1], ctx.hop
            power = torch.nn.functional.pad(audio.square().mean(0), (hop // 2, hop))
            frames = power.unfold(0, hop, hop)[: samples // hop + 1].mean(-1)
            if self.fault == "deaf":
                frames = torch.ones_like(frames)
            if self.fault == "late":
                frames = frames.roll(len(frames) // 9)
            if self.fault == "random":
                frames = frames * (1 + 0.001 * torch.rand(()))
            if self.fault == "nan":
                return (10 * torch.log10(frames) / frames.sum().clamp_min(1e-30) * 0 + 10 * frames.log10())[
                    None
                ]
            level = (10 * torch.log10(frames + 10 ** (self.floor / 10)))[None]
            return level[:, :-1] if self.fault == "short" else level

        return level


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        ("late", "frame times", "when the audio is moved"),
        ("deaf", "frame times", "the same whatever the audio is"),
        ("short", "frame shape", "declares (1, 126)"),
        ("random", "feature repeatable", "on a second call"),
        ("nan", "feature silence", "is not finite on silence"),
    ],
)
def test_a_faulty_feature_is_named_with_its_fault(fault, check, words):
    assert words in failed("feature", Level(fault=fault), check)[check]


def test_a_faultless_feature_passes():
    assert failed("feature", Level()).keys() <= {"feature options"}


@attrs.frozen(kw_only=True)
class Slide:
    """An optimiser around any torch optimiser."""

    lr: float = opt(0.01, gt=0, help="learning rate")
    fault: str = opt("", help="what is wrong with it", choices=("", "up", "all", "nan", "forgets"))

    def build(self, parameters):
        groups = [dict(group) for group in parameters]
        if self.fault == "all":
            groups = [{**group, "lr": self.lr} for group in groups]
        fault = self.fault

        class Sliding(torch.optim.SGD):
            def step(self, closure=None):
                super().step(closure)
                if fault == "nan":
                    for group in self.param_groups:
                        for weight in group["params"]:
                            weight.data /= weight.grad.norm() if weight.grad is not None else 1.0

            def load_state_dict(self, state):
                if fault != "forgets":
                    super().load_state_dict(state)

        return Sliding(groups, lr=self.lr, maximize=self.fault == "up", momentum=0.9)


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        ("up", "descends", "does not lower a quadratic"),
        ("all", "descends", "moves weights whose learning rate is 0"),
        ("nan", "optimizer extremes", "not finite of zero gradients"),
        ("forgets", "optimizer resumes", "goes on otherwise"),
    ],
)
def test_a_faulty_optimiser_is_named_with_its_fault(fault, check, words):
    assert words in failed("optimizer", Slide(fault=fault), check)[check]


@attrs.frozen(kw_only=True)
class Fall:
    """A schedule that falls to a share."""

    final: float = opt(0.5, le=1, help="share that is left")
    forgets: bool = opt(False, help="loses its place")

    def build(self, optimizer, steps):
        forgets = self.forgets

        class Falling(torch.optim.lr_scheduler.LambdaLR):
            def load_state_dict(self, state):
                super().load_state_dict({**state, "last_epoch": 0} if forgets else state)

        return Falling(optimizer, lambda step: 1 - (1 - self.final) * step / max(1, steps))


def test_faulty_schedules_are_named_with_their_faults():
    assert "gives the learning rate -" in failed("schedule", Fall(final=-1.0), "rates")["rates"]
    assert "instead of" in failed("schedule", Fall(forgets=True), "schedule resumes")["schedule resumes"]
    assert failed("schedule", Fall()).keys() <= {"schedule options"}


@attrs.frozen(kw_only=True)
class Gain:
    """A transform that changes levels."""

    reach: float = opt(6.0, unit="dB", ge=0, help="largest change")
    fault: str = opt("", help="what is wrong with it", choices=("", "in place", "global", "short", "input"))

    @classmethod
    def examples(cls):
        return (cls(),)

    def build(self, ctx):
        def change(batch, generator):
            draw = torch.rand(()) if self.fault == "global" else torch.rand((), generator=generator)
            factor = 10 ** (self.reach * (2 * draw - 1) / 20)
            if self.fault == "in place":
                batch.target.mul_(factor)
                return batch
            target = factor * batch.target
            if self.fault == "short":
                target = target[..., 1:]
            dry = torch.zeros_like(target) if batch.input is None and self.fault == "input" else batch.input
            return attrs.evolve(batch, target=target, input=None if dry is None else factor * dry)

        return change


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        ("in place", "transform keeps shape", "changes the batch that it is given"),
        ("global", "transform randomness", "torch's global generator"),
        ("short", "transform keeps shape", "4095 samples and the input 4096"),
        ("input", "transform without input", "invents an input"),
    ],
)
def test_a_faulty_transform_is_named_with_its_fault(fault, check, words):
    assert words in failed("transform", Gain(fault=fault), check)[check]


@attrs.frozen(kw_only=True)
class Spectrum:
    """An embedding: the mean spectrum."""

    bands: int = opt(16, ge=2, le=64, help="values of a vector")
    fault: str = opt(
        "", help="what is wrong with it", choices=("", "batch", "silent", "long", "still", "unknown")
    )

    @classmethod
    def examples(cls):
        return (cls(),)

    def build(self, ctx):
        def embed(audio):
            spectrum = torch.fft.rfft(audio.mean(1)).abs()
            if self.fault == "long":
                return spectrum[:, None]
            vectors = torch.nn.functional.adaptive_avg_pool1d(spectrum, self.bands)
            if self.fault == "batch":
                vectors = vectors - vectors.mean(0)
            return vectors / vectors.norm(dim=1, keepdim=True) if self.fault == "silent" else vectors

        embed.samples, embed.hop = 4096, 0 if self.fault == "still" else 2048
        embed.provenance = "" if self.fault == "unknown" else "arithmetic"
        return embed


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        ("batch", "embedding items", "when its neighbours"),
        ("silent", "embedding shape", "is not finite"),
        ("long", "embedding shape", "for 3 windows"),
        ("still", "embedding shape", "has no hop"),
        ("unknown", "embedding shape", "where it comes from"),
    ],
)
def test_a_faulty_embedding_is_named_with_its_fault(fault, check, words):
    assert words in failed("embedding", Spectrum(fault=fault), check)[check]


@attrs.frozen(kw_only=True)
class Watcher:
    """A callback."""

    every: int = opt(2, unit="steps", ge=1, help="steps between looks")
    fault: str = opt("", help="what is wrong with it", choices=("", "meddles", "typo", "pickles", "unmarked"))

    def build(self, ctx):
        spec = self

        class Watching:
            @fxkit.hookimpl
            def fx_step_end(self, run, step):
                if spec.fault == "meddles" and step % spec.every == 0:
                    torch.manual_seed(step)
                    run.model.drive("soft.controller").controller.logits.data += 1.0

            def state_dict(self):
                return {"seen": SimpleNamespace() if spec.fault == "pickles" else 3}

            def load_state_dict(self, state):
                pass

        if spec.fault == "typo":
            Watching.fx_step_ends = fxkit.hookimpl(lambda self: None)
        if spec.fault == "unmarked":
            Watching.fx_run_start = lambda self: None
        return Watching()


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        ("meddles", "callback watches", "changes what is learned"),
        ("typo", "hooks", "fx_step_ends, which is no hook"),
        ("unmarked", "hooks", "fx_run_start without @fxkit.hookimpl"),
    ],
)
def test_a_faulty_callback_is_named_with_its_fault(fault, check, words):
    assert words in failed("callback", Watcher(fault=fault), check)[check]


def test_a_callback_option_that_nothing_reads_is_named():
    @attrs.frozen(kw_only=True)
    class Bored(Watcher):
        """A callback with an option that does nothing."""

        mood: str = opt("calm", help="nothing")

    assert (
        "never reads the option mood"
        in failed("callback", Bored(fault="meddles"), "callback options")["callback options"]
    )


@attrs.frozen(kw_only=True)
class Writer:
    """An exporter."""

    fault: str = opt("", help="what is wrong with it", choices=("", "outside", "claims", "rounds"))

    def build(self, ctx):
        def write(model, folder):
            path = Path(folder, "weights.txt")
            if self.fault == "outside":
                path = Path(folder).parent / "weights.txt"
            if self.fault != "claims":
                path.write_text(str(model.state_dict()))
            if self.fault == "rounds":
                for weight in model.parameters():
                    weight.data += 0.1
            return [str(path)]

        return write


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("outside", "outside of its folder"),
        ("claims", "which it did not write"),
        ("rounds", "changes the weights"),
    ],
)
def test_a_faulty_exporter_is_named_with_its_fault(fault, words):
    assert words in failed("exporter", Writer(fault=fault), "export")["export"]
    assert failed("exporter", Writer(), "export") == {}


@attrs.frozen(kw_only=True)
class Takes:
    """A dataset."""

    fault: str = opt(
        "", help="what is wrong with it", choices=("", "leaks", "double", "knobs", "random", "nan")
    )

    def build(self, ctx):
        spec = self

        class Splits:
            channels = target_channels = 1
            knobs = ("drive",) if spec.fault == "knobs" else ()

            def recordings(self, split):
                seed = 0 if spec.fault == "leaks" else len(split)
                draw = None if spec.fault == "random" else torch.Generator().manual_seed(seed)
                audio = torch.randn(1, 800, generator=draw)
                if spec.fault == "double":
                    audio = audio.double()
                if spec.fault == "nan":
                    audio[0, 5] = float("nan")
                digest = "same" if spec.fault == "leaks" else split
                return (Recording(name=split, input=audio, target=audio.tanh(), digest=digest),)

        return Splits()


@pytest.mark.parametrize(
    ("fault", "check", "words"),
    [
        ("leaks", "splits apart", "val is in val and in train"),
        ("double", "recordings", "not float32"),
        ("nan", "recordings", "is not finite"),
        ("knobs", "recordings", "has 0 knobs, not 1"),
        ("random", "dataset repeatable", "when it is built again"),
    ],
)
def test_a_faulty_dataset_is_named_with_its_fault(fault, check, words):
    assert words in failed("dataset", Takes(fault=fault), check)[check]


@pytest.mark.parametrize(
    ("kind", "spec"), [("dataset", Noise()), ("optimizer", Descent()), ("processor", Softener())]
)
def test_the_kits_own_plugins_pass(kind, spec):
    assert failed(kind, spec) == {}


@attrs.frozen(kw_only=True)
class Quantity(Softener):
    """A processor with a quantity."""

    cutoff: float = opt(100.0, unit="hz", gt=0, help="where it acts")


def test_units_are_asked_for_and_spelt_alike():
    assert 'the unit "hz"; write "Hz"' in failed("processor", Quantity(), "described")["described"]

    @attrs.frozen(kw_only=True)
    class Unitless(Softener):
        """A processor whose parameter is a time without a unit."""

        def parameters(self, ctx):
            return (
                *super().parameters(ctx),
                Parameter(name="attack_time", low=0.5, high=4.0, default=1.0, help="how fast"),
            )

    assert (
        "gives the parameter attack_time no unit" in failed("processor", Unitless(), "described")["described"]
    )


def test_a_mapping_that_misses_its_range_is_named():
    class Short(Parameter):
        def to_physical(self, normalised):
            return 0.99 * super().to_physical(normalised)

    @attrs.frozen(kw_only=True)
    class Mapped(Softener):
        """A processor."""

        def parameters(self, ctx):
            return (Short(name="drive", low=0.5, high=4.0, default=1.0, help="gain"),)

    assert (
        "maps drive to (0.495, 3.96), not 0.5 to 4" in failed("processor", Mapped(), "mappings")["mappings"]
    )


def test_an_announced_latency_that_is_not_there_is_named():
    @attrs.frozen(kw_only=True)
    class Hasty(Softener):
        """A processor."""

        def traits(self, ctx):
            return Traits(latency=40, receptive_field=42)

    assert (
        "declares a latency of 40; its output resembles the audio 0 later"
        in failed("processor", Hasty(), "latency")["latency"]
    )


def test_terms_that_were_not_declared_are_named():
    @attrs.frozen(kw_only=True)
    class Telling(Softener):
        """A processor."""

        def traits(self, ctx):
            return Traits(receptive_field=2, terms=("level",))

        def build(self, ctx):
            soften = super().build(ctx)
            return lambda *args: (*soften(*args), {"loudness": torch.zeros(3)})

    assert (
        "returns the terms ['loudness'], declares ['level']"
        in failed("processor", Telling(), "output shape")["output shape"]
    )


def test_a_plugin_without_defaults_or_examples_says_what_to_do():
    @attrs.frozen(kw_only=True)
    class Bare(Softener):
        """A processor."""

        text: str = opt(help="anything")

    with pytest.raises(ValueError, match="text have no default; give Bare a classmethod examples"):
        trials_of("processor", Bare)


def test_a_dataset_that_finds_nothing_is_left_out():
    @attrs.frozen(kw_only=True)
    class Empty(Takes):
        """A dataset."""

        def build(self, ctx):
            raise DataError(["nothing there"])

    trial = next(trial for trial in trials_of("dataset", Empty()) if trial.title == "recordings")
    assert "it finds no material" in trial()


test_one_line_of_pytest_gives_a_test_per_check = contract_tests("schedule", "cosine")


def test_unknown_kinds_and_names_are_refused():
    with pytest.raises(ValueError, match='no kind of plugin is called "procesor"'):
        contract_tests("procesor", Softener)
    with pytest.raises(fxkit.FxkitError, match="cosine"):
        contract_tests("schedule", "cosin")

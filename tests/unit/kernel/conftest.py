"""A small experiment made of plugins that the tests define, so that the kernel is tested alone."""

from __future__ import annotations

import attrs
import pytest
import torch

from fxkit import ControlTraits, Parameter, Traits, opt
from fxkit.context import BuildContext
from fxkit.experiment.model import Experiment, Part
from fxkit.experiment.tables import (
    ControllerKeys,
    DataKeys,
    LossKeys,
    ModelTable,
    NodeKeys,
    NoKeys,
    PluginsTable,
    RunTable,
    TrainTable,
)
from fxkit.values import Recording


@attrs.frozen(kw_only=True)
class Scale:
    """Multiply by a parameter."""

    low: float = opt(-4.0, help="lowest factor")
    high: float = opt(4.0, help="highest factor")
    rate: str = opt("sample", help="rate of the parameter")

    def parameters(self, ctx):
        return (Parameter(name="factor", low=self.low, high=self.high, default=1.0, rate=self.rate),)

    def traits(self, ctx):
        return Traits(receptive_field=1)

    def build(self, ctx):
        return lambda audio, params, state=None: (audio * params["factor"], state)


@attrs.frozen(kw_only=True)
class Late:
    """Delay by a declared latency."""

    samples: int = opt(3, ge=0, help="latency")

    def parameters(self, ctx):
        return ()

    def traits(self, ctx):
        return Traits(latency=self.samples, receptive_field=self.samples + 1)

    def build(self, ctx):
        from fxkit_signal.delay import delay

        return lambda audio, params, state=None: delay(audio, self.samples, state)


@attrs.frozen(kw_only=True)
class Tone:
    """Play a ramp: a source that counts samples."""

    def parameters(self, ctx):
        return ()

    def traits(self, ctx):
        return Traits(source=True)

    def build(self, ctx):
        return _CountingTone(ctx)


class _CountingTone(torch.nn.Module):
    def __init__(self, ctx: BuildContext) -> None:
        super().__init__()
        self.channels = ctx.target_channels

    def forward(self, audio, params, state=None):
        assert audio.shape[1] == 0
        start = 0 if state is None else int(state)
        stop = start + audio.shape[-1]
        ramp = torch.arange(start, stop, dtype=audio.dtype).expand(audio.shape[0], self.channels, -1)
        return ramp, torch.tensor(stop)


@attrs.frozen(kw_only=True)
class Duck:
    """Subtract a named input."""

    def parameters(self, ctx):
        return ()

    def traits(self, ctx):
        return Traits(inputs=("sidechain",), receptive_field=1, terms=("level",))

    def build(self, ctx):
        def process(audio, params, state=None, *, sidechain):
            return audio - sidechain, state, {"level": sidechain.abs().mean((1, 2))}

        return process


@attrs.frozen(kw_only=True)
class Learned:
    """Emit one learned constant per value."""

    start: float = opt(0.5, ge=0, le=1, help="first value")

    def traits(self, ctx):
        return ControlTraits()

    def build(self, ctx):
        return _Constant(ctx.control_size, self.start)


class _Constant(torch.nn.Module):
    def __init__(self, size: int, start: float) -> None:
        super().__init__()
        self.value = torch.nn.Parameter(torch.full((1, size, 1), start))

    def forward(self, inputs, state=None):
        return self.value, state


@attrs.frozen(kw_only=True)
class FrameCounter:
    """Emit frame k as k / 1000, on its own hop."""

    hop: int = opt(4, ge=1, help="hop")

    def traits(self, ctx):
        return ControlTraits(rate="frame", hop=self.hop)

    def build(self, ctx):
        return _Counter(self.hop, ctx.control_size)


class _Counter(torch.nn.Module):
    def __init__(self, hop: int, size: int) -> None:
        super().__init__()
        self.hop, self.size = hop, size

    def forward(self, inputs, state=None):
        from fxkit_signal.framing import frames_due, frames_given

        position = 0 if state is None else int(state)
        samples = inputs.audio.shape[-1]
        first, count = frames_given(position, self.hop), frames_due(position, samples, self.hop)
        values = torch.arange(first, first + count, dtype=torch.float32) / 1000
        return values.expand(inputs.audio.shape[0], self.size, -1), torch.tensor(position + samples)


@attrs.frozen(kw_only=True)
class Squared:
    """Measure the mean squared error."""

    def build(self, ctx):
        return lambda output, batch: (output.audio - batch.target).square().mean((1, 2))


@attrs.frozen(kw_only=True)
class Doubler:
    """Offer recordings whose target is the input times a factor."""

    factor: float = opt(2.0, help="factor")
    samples: int = opt(400, help="length")
    skip: int = opt(0, help="samples left out of scores")

    def build(self, ctx):
        return _Doubled(self, ctx)


class _Doubled:
    channels = 1
    target_channels = 1
    knobs = ()

    def __init__(self, spec: Doubler, ctx: BuildContext) -> None:
        self.spec, self.seed = spec, ctx.seed

    def recordings(self, split):
        number = {"train": 1, "val": 2, "test": 3}[split]
        generator = torch.Generator().manual_seed(number)
        dry = torch.randn(1, self.spec.samples, generator=generator)
        return (
            Recording(
                name=f"{split}.wav",
                input=dry,
                target=self.spec.factor * dry,
                skip=self.spec.skip,
                digest=split,
            ),
        )


@attrs.frozen(kw_only=True)
class Descent:
    """Plain gradient descent with momentum, so that the optimiser has state."""

    lr: float = opt(0.004, gt=0, help="learning rate")

    def build(self, parameters):
        return torch.optim.SGD(parameters, lr=self.lr, momentum=0.5)


def make_part(path, kind, spec, keys):
    return Part(
        path=path,
        kind=kind,
        name="x",
        plugin=f"test/{type(spec).__name__}",
        version="1",
        spec=spec,
        keys=keys,
    )


def make_experiment(
    nodes,
    chain,
    *,
    controllers=None,
    data=None,
    losses=None,
    callbacks=None,
    features=None,
    run=None,
    train=None,
    data_keys=None,
):
    optimizer = make_part("train.optimizer", "optimizers", Descent(), NoKeys())
    table = {"steps": 6, "batch_size": 2, "validate_every": 3, "optimizer": optimizer.spec, **(train or {})}
    losses = losses or {"mse": make_part("losses.mse", "losses", Squared(), LossKeys())}
    experiment = Experiment(
        file="test.toml",
        run=RunTable(**{"hop": 4, **(run or {})}),
        train=TrainTable(**table),
        model=ModelTable(chain=chain),
        plugins=PluginsTable(),
        data=make_part(
            "data", "datasets", data or Doubler(), DataKeys(**{"segment": 64, **(data_keys or {})})
        ),
        optimizer=optimizer,
        schedule=None,
        features=features or {},
        controllers=controllers or {},
        nodes=nodes,
        losses=losses,
        metrics={},
        callbacks=callbacks or {},
        transforms={},
        resolved={"run": {"name": "test"}},
        origins={},
    )
    return experiment


def node(name, spec, controller=None, **keys):
    inline = controller
    if controller is not None and not isinstance(controller, str):
        inline = make_part(f"nodes.{name}.controller", "controllers", controller, ControllerKeys())
    return make_part(f"nodes.{name}", "processors", spec, NodeKeys(controller=inline, **keys))


@pytest.fixture(scope="session")
def module_kit():
    """The plugins and makers above, under one name (test modules cannot import a conftest)."""
    import types

    names = {name: value for name, value in globals().items() if not name.startswith("_")}
    return types.SimpleNamespace(**names)


@pytest.fixture
def kit(module_kit):
    return module_kit

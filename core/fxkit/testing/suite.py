"""The checks by kind of plugin, and the trials that a plugin has to go through."""

from __future__ import annotations

import atexit
import functools
import inspect
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import Option, describe, value_problem
from fxkit.testing import (
    augmentation,
    causality,
    clock,
    compilation,
    composed,
    conditioning,
    declaration,
    exchange,
    feature,
    gradients,
    imports,
    interface,
    lifecycle,
    loss,
    loss_material,
    material,
    options,
    ramp,
    robustness,
    streaming,
    training,
)
from fxkit.testing.case import ControllerCase, ProcessorCase
from fxkit.testing.check import Check, title
from fxkit.testing.conditioning import ConditioningCase
from fxkit.testing.declaration import SpecCase
from fxkit.testing.layered import Layered
from fxkit.testing.loss import LossCase
from fxkit.testing.plain import PlainCase
from fxkit.testing.stock import STAND_INS
from fxkit.traits import loss_traits

SPEC_CHECKS: tuple[Check, ...] = (
    imports.check_light_import,
    declaration.check_frozen,
    declaration.check_described,
    declaration.check_toml_round_trip,
    declaration.check_presets,
)

SHARED_CHECKS: tuple[Check, ...] = (
    interface.check_items_apart,
    interface.check_repeatable,
    interface.check_state_is_a_value,
    streaming.check_streaming,
    causality.check_causality,
    clock.check_later_start,
    gradients.check_gradients_reach,
    gradients.check_gradient_magnitude,
    gradients.check_gradcheck,
    robustness.check_silence,
    robustness.check_denormals,
    robustness.check_weights_travel,
    compilation.check_device,
)

PROCESSOR_CHECKS: tuple[Check, ...] = (
    interface.check_output_shape,
    causality.check_latency,
    causality.check_receptive_field,
    clock.check_still_parameters,
    robustness.check_extremes,
    robustness.check_mappings,
    *SHARED_CHECKS,
)

CONTROLLER_CHECKS: tuple[Check, ...] = (
    interface.check_control_shape,
    robustness.check_whole_range,
    *SHARED_CHECKS,
)

LOSS_CHECKS: tuple[Check, ...] = (
    loss.check_one_value_per_item,
    loss.check_batching,
    loss.check_zero_at_goal,
    loss.check_silent_signals,
    loss.check_loss_gradient,
    loss_material.check_least_samples,
    loss_material.check_precision,
    loss_material.check_leaves_all_as_it_was,
    loss_material.check_faults_show,
    loss_material.check_loss_device,
    composed.check_sign,
    composed.check_parts_add_up,
)

# What is checked of every example, on every number of channels.
CASE_CHECKS: Mapping[str, tuple[Check, ...]] = {
    "processors": PROCESSOR_CHECKS,
    "controllers": CONTROLLER_CHECKS,
    "losses": LOSS_CHECKS,
    "conditionings": (conditioning.check_joined, conditioning.check_settled, *PROCESSOR_CHECKS),
    "features": (
        feature.check_frame_shape,
        feature.check_frame_times,
        feature.check_feature_silence,
        feature.check_feature_repeatable,
    ),
    "datasets": (material.check_recordings, material.check_splits_apart, material.check_dataset_repeatable),
    "callbacks": (lifecycle.check_hooks, lifecycle.check_callback_watches, lifecycle.check_callback_state),
    "optimizers": (
        training.check_descends,
        training.check_optimizer_resumes,
        training.check_optimizer_extremes,
    ),
    "schedules": (training.check_rates, training.check_schedule_resumes),
    "ramps": (ramp.check_weights, ramp.check_final, ramp.check_only_the_place_counts),
    "transforms": (
        augmentation.check_transform_keeps_shape,
        augmentation.check_transform_randomness,
        augmentation.check_transform_without_input,
    ),
    "embeddings": (augmentation.check_embedding_shape, augmentation.check_embedding_items),
    "exporters": (exchange.check_export, exchange.check_exports_its_own),
    "importers": (exchange.check_reads_its_own, exchange.check_imports, exchange.check_broken_files),
}

# What is checked of a plugin once.
PLUGIN_CHECKS: Mapping[str, tuple[Check, ...]] = {
    "processors": (options.check_options, compilation.check_compile),
    "controllers": (options.check_options, compilation.check_compile),
    "losses": (loss.check_loss_options,),
    "conditionings": (conditioning.check_conditioning_options, compilation.check_compile),
    "features": (feature.check_feature_options,),
    "datasets": (material.check_dataset_options,),
    "callbacks": (lifecycle.check_callback_options,),
    "optimizers": (training.check_optimizer_options,),
    "schedules": (training.check_schedule_options,),
    "ramps": (ramp.check_ramp_options,),
    "transforms": (augmentation.check_transform_options,),
    "embeddings": (augmentation.check_embedding_options,),
    "exporters": (exchange.check_exporter_options,),
    "importers": (exchange.check_importer_options,),
}

CONTROLLED = (
    Parameter(name="tone.gain", low=-12, high=12, default=3, unit="dB"),
    Parameter(name="tone.frequency", low=20, high=20000, default=1000, unit="Hz", mapping="log"),
    Parameter(name="noise.magnitudes", low=0, high=2, default=0, mapping="exp-sigmoid", size=3, rate="frame"),
)
FEATURE_RANGES = {"f0": ((50.0, 1000.0), (0.0, 1.0)), "loudness": ((-80.0, 0.0),)}
SETTINGS = ((0.0, 0.0), (1.0, 0.1), (0.4, 0.9))
CHANNELS = (1, 2)
HOP = 48


@attrs.frozen(kw_only=True)
class Trial:
    """Hold one check of one example of a plugin; `label` tells examples and channels apart."""

    check: Check
    case: Any
    label: str

    @property
    def title(self) -> str:
        """Return the check's name as tables show it."""
        return title(self.check)

    def __str__(self) -> str:
        return f"{self.label}-{self.check.__name__}" if self.label else self.check.__name__

    def __call__(self) -> str | None:
        """Run the check: raise `AssertionError`, or return why there was nothing to check."""
        declared = self.check in SPEC_CHECKS
        return (None if declared else _lacking(self.case.spec)) or self.check(self.case)


def _lacking(spec: Any) -> str | None:
    """Return what a spec needs that is not there on this machine."""
    ask = getattr(spec, "unmet", None)
    return next((message for _, message in ask()), None) if callable(ask) else None


def checks_of(kind: str) -> tuple[Check, ...]:
    """Return every check of plugins of a kind (its plural)."""
    return (*SPEC_CHECKS, *CASE_CHECKS.get(kind, ()), *PLUGIN_CHECKS.get(kind, ()))


def examples_of(spec: type, kind: str) -> tuple[Any, ...]:
    """Return the examples to check: what the spec's `examples()` returns, else the spec at its defaults.

    `examples(folder)` may write files there. Of options without a default, one that holds another
    plugin gets one of the kit's own, a number one within its bounds, a dataset's path stays open.
    Raises `ValueError` where others have no default and there are no examples.
    """
    if hasattr(spec, "examples"):
        takes_folder = bool(inspect.signature(spec.examples).parameters)
        return tuple(spec.examples(_folder() / spec.__name__) if takes_folder else spec.examples())
    required = [option for option in describe(spec).options if option.required]
    paths = [option.name for option in required if option.type is Path and kind == "datasets"]
    filled: dict[str, Any] = dict.fromkeys(paths, Path("material"))
    for option in required:
        if option.meta.kind in STAND_INS:
            held = STAND_INS[option.meta.kind][0]
            named = {"one": held} if option.takes_names else held
            filled[option.name] = (held,) if option.takes_many else named
        elif option.type in (int, float):
            filled[option.name] = option.type(_number(option))
    open_ones = [option.name for option in required if option.name not in filled]
    if open_ones:
        names = ", ".join(open_ones)
        raise ValueError(f"{names} have no default; give {spec.__name__} a classmethod examples()")
    return (spec(**filled),)


def _number(option: Option) -> float:
    """Return a number within an option's bounds: twice the least, where that is allowed."""
    bounds = option.meta.bounds
    least = bounds.ge if bounds.ge is not None else bounds.gt
    tries = (2 * least, least + 1, least) if least is not None else (1.0, 0.5, bounds.le, bounds.lt)
    return next((n for n in tries if n is not None and value_problem(option.meta, n) is None), 1.0)


@functools.cache
def _folder() -> Path:
    """Return a folder for examples' files, which is there for as long as this process."""
    place = tempfile.mkdtemp(prefix="fxkit-examples-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return Path(place)


def trials(
    kind: str,
    spec: type,
    *,
    examples: Sequence[Any] = (),
    hints: Mapping[str, Sequence[Any]] | None = None,
    ctx: BuildContext | None = None,
) -> Iterator[Trial]:
    """Yield every check of every example of a plugin of `kind` (plural).

    `examples` replaces those of the spec; `hints` gives values to try for options; `ctx` replaces the
    surroundings. Processors and losses are checked with one channel and with two, as far as they take
    them; other examples than the first with two.
    """
    found = tuple(examples) or examples_of(spec, kind)
    whole = SpecCase(spec=found[0], kind=kind, hints=hints or {}, examples=found[1:])
    for check in SPEC_CHECKS:
        yield Trial(check=check, case=whole, label="")
    make = _MAKERS.get(kind, _plain_cases)
    # Numbers of channels are gone through with the first example alone.
    made = [
        (one, extra, case)
        for one in found
        for extra, case in list(make(one, ctx))[-1 if one != found[0] else 0 :]
    ]
    for one, extra, case in made:
        for check in CASE_CHECKS.get(kind, ()):
            yield Trial(check=check, case=case, label=_label(one, found[0], extra))
    # With all the channels that it takes, since options may act between channels alone.
    widest = [case for one, _, case in made if one == found[0]][-1]
    first = attrs.evolve(widest, hints=whole.hints, examples=whole.examples)
    for check in PLUGIN_CHECKS.get(kind, ()):
        yield Trial(check=check, case=first, label="")


def _label(spec: Any, usual: Any, extra: str) -> str:
    told = [
        field.name
        for field in attrs.fields(type(spec))
        if getattr(spec, field.name) != getattr(usual, field.name)
    ]
    settings = ",".join(f"{name}={_short(getattr(spec, name))}" for name in told)
    return " ".join(filter(None, (settings, extra)))


def _short(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"({','.join(map(_short, value))})"
    if attrs.has(type(value)):
        return type(value).__name__
    if isinstance(value, Path):
        return value.name
    return str(value)[:40]


Made = Iterator[tuple[str, Any]]


def _processor_cases(spec: Any, ctx: BuildContext | None) -> Made:
    base = ctx or BuildContext(hop=HOP, seed=3)
    accepted = spec.traits(attrs.evolve(base, channels=2, target_channels=2)).channels_in or CHANNELS
    for channels in accepted:
        there = attrs.evolve(base, channels=channels, target_channels=channels)
        yield f"{channels}ch", ProcessorCase(spec=spec, ctx=there)


def _controller_cases(spec: Any, ctx: BuildContext | None) -> Made:
    usual = BuildContext(
        hop=HOP, knobs=("drive", "tone"), knob_settings=SETTINGS, features={"f0": 2, "loudness": 1},
        parameters=CONTROLLED,
    )  # fmt: skip
    yield "", ControllerCase(spec=spec, ctx=ctx or usual, feature_ranges=FEATURE_RANGES)


def _loss_cases(spec: Any, ctx: BuildContext | None) -> Made:
    base = ctx or BuildContext()
    for channels in loss_traits(spec, attrs.evolve(base, target_channels=2)).channels or CHANNELS:
        yield f"{channels}ch", LossCase(spec=spec, ctx=attrs.evolve(base, target_channels=channels))


def _conditioning_cases(spec: Any, ctx: BuildContext | None) -> Made:
    base = ctx or BuildContext(hop=HOP, seed=3)
    for channels in CHANNELS:
        there = attrs.evolve(base, channels=channels, target_channels=channels)
        yield f"{channels}ch", ConditioningCase(spec=Layered(conditioning=spec), ctx=there)


def _plain_cases(spec: Any, ctx: BuildContext | None) -> Made:
    yield "", PlainCase(spec=spec) if ctx is None else PlainCase(spec=spec, ctx=ctx)


_MAKERS: Mapping[str, Callable[[Any, BuildContext | None], Made]] = {
    "processors": _processor_cases,
    "controllers": _controller_cases,
    "losses": _loss_cases,
    "conditionings": _conditioning_cases,
}

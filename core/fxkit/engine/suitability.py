"""Check an experiment against its recordings, as soon as these are known and before anything is built."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from fxkit.context import BuildContext
from fxkit.engine.objective import unsuited
from fxkit.engine.phases import Stage, stages_of
from fxkit.engine.segments import slots
from fxkit.errors import AssemblyError, ExperimentError, Problem
from fxkit.experiment.model import Experiment, Origin
from fxkit.experiment.options import declared
from fxkit.experiment.wording import some, suggestion
from fxkit.model.plan import plan_model
from fxkit.protocols import Dataset
from fxkit.values import Recording

HEARD = ("val", "test")


def check_material(experiment: Experiment, dataset: Dataset, ctx: BuildContext) -> tuple[Problem, ...]:
    """Return what is probably not meant in an experiment, given its recordings.

    `ctx` is the model's, with channels and knobs. Raises `ExperimentError` with everything in it that
    does not suit them, where it was written.
    """
    check = _Check(experiment, ctx)
    train = dataset.recordings("train")
    problems = [
        *check.model(),
        *check.terms(),
        *check.lengths(train),
        *check.clips([one.name for split in HEARD for one in dataset.recordings(split)]),
    ]
    warnings = [*check.rates(getattr(dataset, "rates", ())), *check.batches(train)]
    if problems:
        raise ExperimentError(problems, warnings)
    return tuple(warnings)


@attrs.frozen
class _Check:
    experiment: Experiment
    ctx: BuildContext

    def model(self) -> Iterator[Problem]:
        """Yield why the model cannot be planned for these channels and knobs."""
        try:
            plan_model(self.experiment, self.ctx)
        except AssemblyError as error:
            yield self.at(error.path, f"{error.message}{self.remedy(error)}")

    def remedy(self, error: AssemblyError) -> str:
        part = next((one for one in self.experiment.parts() if one.path == error.path), None)
        if "uses knobs" in error.message:
            return "; add settings to the recordings, or take a controller that needs none"
        choices = [meta for name, meta, _ in declared(self.experiment.data.spec) if name == "channels"]
        if choices and "channel" in error.message:
            other = '"mono" averages them' if self._is_wide() else '"stereo" doubles them'
            return f"; data.channels = {other}, a node that changes their number would do, too"
        return f"; change {part.name} or the data" if part and "channel" in error.message else ""

    def _is_wide(self) -> bool:
        return max(self.ctx.channels, self.ctx.target_channels) > 1

    def terms(self) -> Iterator[Problem]:
        """Yield the losses and metrics that these recordings do not suit."""
        for part in (*self.experiment.losses.values(), *self.experiment.metrics.values()):
            message = unsuited(part, self.ctx)
            if message:
                yield self.at(part.path, message)

    def lengths(self, train: Sequence[Recording]) -> Iterator[Problem]:
        """Yield segments that are longer than recordings."""
        for stage in stages_of(self.experiment):
            wanted = stage.warmup + stage.segment
            short = [one for one in train if one.samples < wanted]
            if not short:
                continue
            least = min(short, key=lambda one: one.samples)
            fits = least.samples - stage.warmup
            half = 1 << (fits.bit_length() - 1) if fits > 0 else 0
            fix = f"{half} fits" if half >= 16 else "lower data.warmup, or leave that recording out"
            count = f"{len(short)} of {len(train)} recordings" if len(train) > 1 else "the one recording"
            yield self.at(
                self.segment_of(stage),
                f"a segment behind its warm-up takes {wanted} samples, and {count} to train on"
                f" {'have' if len(short) > 1 else 'has'} fewer: {least.name} has {least.samples}; {fix}",
            )

    def batches(self, train: Sequence[Recording]) -> Iterator[Problem]:
        """Yield batches in which segments would be there twice."""
        for stage in stages_of(self.experiment):
            count = int(slots([one.samples for one in train], stage.warmup, stage.segment).sum())
            if 0 < count < stage.batch_size:
                yield self.at(
                    self.key_of(stage, "batch_size", "train.batch_size"),
                    f"the recordings give {count} segments of {stage.segment} samples, and a batch of"
                    f" {stage.batch_size} has some twice; {count} is the largest without repeats",
                )

    def rates(self, rates: Sequence[int]) -> Iterator[Problem]:
        """Yield a sample rate that leaves most of what it computes empty, or drops what was recorded."""
        run = self.ctx.sample_rate
        if rates and max(rates) < run:
            yield self.at(
                "run.sample_rate",
                f"the recordings have {max(rates)} Hz and are brought to {run} Hz, with nothing above"
                f" {max(rates) // 2} Hz; sample_rate = {max(rates)} takes less time",
            )
        elif rates and min(rates) > run:
            yield self.at(
                "run.sample_rate",
                f"the recordings have {min(rates)} Hz and are brought to {run} Hz: what they hold above"
                f" {run // 2} Hz is lost, and harmonics of a device that reach beyond it cannot be modelled",
            )

    def clips(self, names: Sequence[str]) -> Iterator[Problem]:
        """Yield the recordings that options name and that there are not."""
        for part in self.experiment.parts():
            for option, meta, value in declared(part.spec):
                if meta.refers != "recording":
                    continue
                for text in value if isinstance(value, tuple) else (value,):
                    name = str(text).rpartition("@")[0].strip() if "@" in str(text) else text
                    if text is not None and text not in names and name not in names:
                        near = suggestion(name, names) or f"; there are {some(sorted(names))}"
                        message = f'no recording "{name}" is validated or tested on{near}'
                        yield self.at(f"{part.path}.{option}", message)

    def segment_of(self, stage: Stage) -> str:
        return self.key_of(stage, "segment", "data.segment")

    def key_of(self, stage: Stage, key: str, usual: str) -> str:
        """Return the path of the key that a stage's value comes from."""
        own = f"phase[{stage.index}].{key}"
        return own if own in self.experiment.origins else usual

    def at(self, path: str, message: str) -> Problem:
        """Return a problem at the line that a path comes from, or at its table."""
        origin = _origin(self.experiment, path)
        return Problem(
            file=origin.file,
            line=origin.line,
            column=origin.column,
            path=path,
            message=message,
            via=origin.via,
        )


def _origin(experiment: Experiment, path: str) -> Origin:
    origins = experiment.origins
    table = path
    while table:
        for place in (table, f"{table}.type", *(one for one in origins if one.startswith(f"{table}."))):
            if place in origins:
                return origins[place]
        table = table.rpartition(".")[0]
    return Origin(file=experiment.file)

"""The `estimate-start` callback: begin where the recordings say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs

from fxkit.errors import RunError
from fxkit.hooks import hookimpl
from fxkit.spec import opt

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.engine.session import Run
    from fxkit.model.drive import Drive
    from fxkit.values import Recording


@attrs.frozen(kw_only=True)
class EstimateStart:
    """Set parameters before the first step to what their processors estimate from the recordings.

    Processors that know how (the flanger, of its sweep) look at the longest recording of the train split,
    as if its dry side entered them and its wet side came out. Parameters that a `static` controller sets
    start from what they find, whatever start the file gives; learning goes on from there.
    """

    seconds: float = opt(80.0, unit="s", ge=2, help="longest part of the recording that is looked at")

    def build(self, ctx: BuildContext) -> Estimator:
        """Build the callback."""
        return Estimator(self.seconds)


class Estimator:
    """Ask every node that can estimate, and set what it says."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Set the start, unless the run goes on from a checkpoint."""
        if run.step:
            return
        dry, wet, start = self._excerpt(run)
        values = {
            f"{name}.{parameter}": value
            for name, estimate in _estimates(run)
            for parameter, value in estimate(dry, wet, start).items()
        }
        if not values:
            raise RunError("estimate-start: no node of this model can estimate; remove the callback")
        found = {name: value for drive in _drives(run) for name, value in _set(drive, values)}
        told = ", ".join(f"{name} {value:.4g}" for name, value in found.items())
        run.report(f"estimate-start: {told or 'no static controller sets what was estimated'}")

    def _excerpt(self, run: Run) -> tuple[torch.Tensor, torch.Tensor, int]:
        recordings: tuple[Recording, ...] = run.prepared.materials["train"].recordings
        longest = max(recordings, key=lambda recording: recording.samples)
        if longest.input is None:
            raise RunError("estimate-start: the data have no dry side; remove the callback")
        count = round(self.seconds * run.sample_rate)
        return longest.input[:, :count].mean(0), longest.target[:, :count].mean(0), longest.start


def _estimates(run: Run) -> Iterator[tuple[str, Any]]:
    for name in run.model.plan.nodes:
        estimate = getattr(run.model.nodes[f":{name}"], "estimate", None)
        if estimate is not None:
            yield name, estimate


def _drives(run: Run) -> Iterator[Drive]:
    return cast("Iterator[Drive]", iter(run.model.drives.values()))


def _set(drive: Drive, values: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Set those of a static controller's parameters that were estimated; yield what it has then."""
    from fxkit.logits import start_logits

    logits = getattr(drive.controller, "logits", None)
    if logits is None:
        return
    place = 0
    for parameter in drive.plan.ctx.parameters:
        if parameter.name in values:
            held = min(max(values[parameter.name], parameter.low), parameter.high)
            logits.data[place] = start_logits([attrs.evolve(parameter, default=held)])[0]
            yield parameter.name, held
        place += parameter.size

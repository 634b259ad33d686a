"""What the callbacks `csv` and `jsonl` share: which records there are, and when they are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

import attrs

from fxkit.errors import RunError
from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit.trigger import Trigger, Triggers
from fxkit_callbacks._rows import RowFile, path_inside

if TYPE_CHECKING:
    from fxkit.engine.session import Evaluation, Run


@attrs.frozen(kw_only=True)
class LogOptions(Triggers):
    """Declare what every log can be told."""

    on_steps: ClassVar[bool] = True

    every: int = opt(
        25, unit="steps", ge=0, help="training losses are written at multiples of this; 0: never by count"
    )
    file: str = opt(writes=True, help="file in the run folder")
    form: Literal["long", "wide"] = opt(
        "long", help='"long": a row for each value; "wide": one for all values of a step'
    )


class Layout(Protocol):
    """Turn records into lines of a file."""

    @property
    def header(self) -> bytes:
        """Return the first line, empty for none."""

    def fit(self, rows: list[bytes]) -> list[bytes]:
        """Return rows of an earlier or a later header so that they fit this one."""

    def takes(self, names: Iterable[str]) -> bool:
        """Tell whether the header has room for values of these names; make room where it has not."""

    def rows(self, kind: str, step: int, values: Mapping[str, float]) -> list[bytes]:
        """Return the lines of a record."""

    def state_dict(self) -> dict[str, Any]:
        """Return what the header depends on."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""


class Log:
    """Write training losses when they are due, and all validations, tests and figures of callbacks.

    The state counts the rows: a resumed run drops those behind the state that it goes on from.
    """

    def __init__(self, options: LogOptions, layout: Layout) -> None:
        self.options, self.layout = options, layout
        self.trigger = Trigger(options)
        self.file = RowFile()

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Open the file."""
        self.trigger.check(run)
        if not self.file.is_open:
            self._open(run)

    @hookimpl
    def fx_step_end(self, run: Run, step: int, losses: Mapping[str, float]) -> None:
        """Write training losses."""
        if self.trigger.due(run, step):
            self._write(run, "train", step, losses)

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Write the metrics of a validation."""
        self.trigger.due(run, step, evaluation)
        self._write(run, evaluation.split, step, evaluation.metrics)

    @hookimpl
    def fx_figures(self, run: Run, step: int, name: str, values: Mapping[str, float]) -> None:
        """Write what another callback publishes."""
        self._write(run, name, step, values)

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Write the metrics of the test."""
        self._write(run, evaluation.split, run.step, evaluation.metrics)

    @hookimpl
    def fx_close(self) -> None:
        """Close the file."""
        self.file.close()

    def state_dict(self) -> dict[str, Any]:
        """Return how many rows there are."""
        return {
            "rows": self.file.rows,
            "layout": self.layout.state_dict(),
            "trigger": self.trigger.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.file.rows = state["rows"]
        self.layout.load_state_dict(state["layout"])
        self.trigger.load_state_dict(state["trigger"])

    def _open(self, run: Run) -> None:
        name = self.options.file
        logs = [part.path for part in run.experiment.callbacks.values() if _file_of(part.spec) == name]
        if len(logs) > 1:
            raise RunError(f'{logs[1]}.file: "{name}" is the file of {logs[0]}, too; choose another name')
        folder = run.folder
        taken = [
            getattr(folder, one) for one, kind in vars(type(folder)).items() if isinstance(kind, property)
        ]
        path = path_inside(folder.path, name, taken, f"{logs[0] if logs else 'callbacks'}.file")
        self.file.open(path, self.layout.header, self.layout.fit)

    def _write(self, run: Run, kind: str, step: int, values: Mapping[str, float]) -> None:
        if not self.file.is_open:
            # Another callback publishes at its start already.
            self._open(run)
        if not self.layout.takes(values):
            self.file.refit(self.layout.header, self.layout.fit)
        self.file.append(self.layout.rows(kind, step, values))


def _file_of(spec: Any) -> str | None:
    return spec.file if isinstance(spec, LogOptions) else None

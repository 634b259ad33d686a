"""Pictures of parameters, drawn into files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fxkit.figure import save
from fxkit.parameter import Parameter
from fxkit_callbacks._course import Array, Course, Wave
from fxkit_callbacks._history_picture import history_picture
from fxkit_callbacks._track_picture import track_picture


def draw_history(
    path: Path,
    parameters: Sequence[Parameter],
    steps: Sequence[int],
    series: Mapping[str, Array],
    title: str,
) -> None:
    """Draw parameters over the steps."""
    save(history_picture(parameters, steps, series, title), path)


def draw_tracks(path: Path, courses: Mapping[str, Course], target: Wave, title: str) -> None:
    """Draw parameters over time."""
    save(track_picture(courses, target, title), path)

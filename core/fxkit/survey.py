"""Say what a dataset would make of a folder, told from names alone, before anything is loaded.

A spec of the kind "datasets" may have a class method `survey(folder) -> Survey`. `fxkit init` calls
it to find the options that fit a folder; a dataset without it is told everything by its user.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Found:
    """Name one recording: its split (None where the dataset chooses) and its files, dry side first."""

    name: str
    files: tuple[Path, ...]
    split: str | None = None


@attrs.frozen(kw_only=True)
class Arrangement:
    """Say how a folder would have to look: files by relative path, linked from where they lie, and texts.

    `what` is what the folder holds at present, as a clause: "a pair of files, input.wav and output.wav".
    """

    what: str
    links: Mapping[str, Path]
    texts: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Survey:
    """Hold what a dataset would read from a folder.

    `options` are those that differ from the defaults, the folder's among them. `problems` are lines
    that each name what is wrong and what to do; with any, the dataset would refuse the folder.
    `arrangement` is a way out, where there is a plain one. `knobs` names the settings that come with
    the recordings.
    """

    options: Mapping[str, Any]
    recordings: tuple[Found, ...] = ()
    knobs: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    arrangement: Arrangement | None = None

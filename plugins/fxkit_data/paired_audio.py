"""Dry and wet recordings of a device, from a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.survey import Survey
    from fxkit_data._recorded import RecordedSplits

ACCEPTABLE = ("latency", "unrelated", "clipping", "silence", "duplicates", "rate")


@attrs.frozen(kw_only=True)
class PairedAudio:
    """Dry/wet pairs from a folder (WAV, FLAC, AIFF, OGG, MP3), checked before training.

    Layouts: `{train,val,test}/{input,target}/NAME.wav`, or without the split folders, or
    `NAME-input.wav` beside `NAME-target.wav` (also with "." or "_"). Splits that have no folder are
    taken from the rest by content, whole files at a time; where there are fewer different dry files
    than splits, each file is cut by time: train, then val, then test, `gap` apart.

    Knob settings come from `knobs.csv` (columns `file`, perhaps `split`, and one per knob; rows
    `[low]` and `[high]` declare ranges), `knobs.toml` or `knobs.json` (`files."NAME" = { drive = 3 }`
    and `ranges.drive = [0, 10]`). They reach the model as 0 to 1 over the declared range, or over the
    range of the train split. A knob that was turned while recording is written, in TOML or JSON, as
    points with straight lines in between: `drive = [[0.0, 3], [2.5, 7]]`, seconds and settings.

    The check reports latency to a fraction of a sample, polarity, gain, levels and more in one
    table; it refuses material that cannot be learned from, one line per defect.
    """

    root: Path = opt(exists="folder", help="folder that holds the recordings")
    input: str = opt("input", help="how folders or file names spell the dry side")
    target: str = opt("target", help="how folders or file names spell the wet side")
    val_fraction: float = opt(
        0.1, ge=0, le=0.5, help="share of files (or time) that val gets without a folder"
    )
    test_fraction: float = opt(
        0.1, ge=0, le=0.5, help="share of files (or time) that test gets without a folder"
    )
    gap: float = opt(0.5, unit="s", ge=0, help="time left out between splits that one file is cut into")
    knobs: Path | None = opt(
        None, exists="file", help="file of knob settings; else knobs.csv, .toml or .json in root"
    )
    channels: Literal["keep", "mono", "stereo"] = opt(
        "keep", help='"mono" averages, "stereo" doubles mono, "keep" wants all files alike'
    )
    align: bool = opt(False, help="move late or early wet sides into place and cut both to equal length")
    accept: tuple[str, ...] = opt((), choices=ACCEPTABLE, help="checks that only remark instead of refusing")
    skip: float = opt(
        0.0, unit="s", ge=0, help="start of each file left out of scores; for files that start in mid-take"
    )
    start: str | None = opt(
        None,
        help="regular expression whose group, found in a file's name, is the second of its take at which it"
        " starts: oscillators had run that long; files whose name has none start at 0",
    )

    @classmethod
    def survey(cls, folder: Path) -> Survey:
        """Say which pairs `folder` holds, whatever it calls the two sides."""
        from fxkit_data._survey import survey_pairs

        return survey_pairs(folder)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse an expression that cannot be read or does not say where the number stands."""
        try:
            groups = re.compile(self.start or "()").groups
        except re.error as error:
            yield "start", f"is no regular expression: {error}"
        else:
            if groups != 1:
                yield "start", f"needs one group, in round brackets, around the seconds; it has {groups}"

    def build(self, ctx: BuildContext) -> RecordedSplits:
        """Read, check, resample and divide all recordings; raise `DataError` with every defect."""
        from fxkit_data._assembly import SplitPlan, assemble
        from fxkit_data._knob_sheet import find_sheet
        from fxkit_data._layout import find_pairs
        from fxkit_data._split import Fractions
        from fxkit_data._take import TakePlan

        return assemble(
            find_pairs(self.root, self.input, self.target),
            find_sheet(self.root, self.knobs),
            TakePlan(
                rate=ctx.sample_rate,
                hop=ctx.hop,
                channels=self.channels,
                skip=round(self.skip * ctx.sample_rate),
                align=self.align,
                accept=self.accept,
                start=self.start,
            ),
            SplitPlan(
                root=self.root,
                fractions=Fractions(val=self.val_fraction, test=self.test_fraction),
                gap=round(self.gap * ctx.sample_rate),
            ),
        )

"""Recordings of an instrument, from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.survey import Survey
    from fxkit_data._recorded import RecordedSplits

ACCEPTABLE = ("clipping", "silence", "duplicates")


@attrs.frozen(kw_only=True)
class AudioFolder:
    """Recordings without a dry side from a folder (WAV, FLAC, AIFF, OGG, MP3), checked before training.

    Layouts: `{train,val,test}/NAME.wav`, or all files in one folder. Splits that have no folder are
    taken from the rest by content, whole files at a time; where there are fewer files than splits,
    each is cut by time: train, then val, then test, `gap` apart. Other files beside them are left
    alone.
    """

    root: Path = opt(exists="folder", help="folder that holds the recordings")
    val_fraction: float = opt(
        0.1, ge=0, le=0.5, help="share of files (or time) that val gets without a folder"
    )
    test_fraction: float = opt(
        0.1, ge=0, le=0.5, help="share of files (or time) that test gets without a folder"
    )
    gap: float = opt(0.5, unit="s", ge=0, help="time left out between splits that one file is cut into")
    channels: Literal["keep", "mono", "stereo"] = opt(
        "mono", help='"mono" averages, "stereo" doubles mono, "keep" wants all files alike'
    )
    accept: tuple[str, ...] = opt((), choices=ACCEPTABLE, help="checks that only remark instead of refusing")
    skip: float = opt(
        0.0, unit="s", ge=0, help="start of each file left out of scores; for files that start in mid-take"
    )

    @classmethod
    def survey(cls, folder: Path) -> Survey:
        """Say which recordings `folder` holds."""
        from fxkit_data._survey import survey_singles

        return survey_singles(folder)

    def build(self, ctx: BuildContext) -> RecordedSplits:
        """Read, check, resample and divide all recordings; raise `DataError` with every defect."""
        from fxkit_data._assembly import SplitPlan, assemble
        from fxkit_data._layout import find_singles
        from fxkit_data._split import Fractions
        from fxkit_data._take import TakePlan

        return assemble(
            find_singles(self.root),
            None,
            TakePlan(
                rate=ctx.sample_rate,
                channels=self.channels,
                skip=round(self.skip * ctx.sample_rate),
                accept=self.accept,
            ),
            SplitPlan(
                root=self.root,
                fractions=Fractions(val=self.val_fraction, test=self.test_fraction),
                gap=round(self.gap * ctx.sample_rate),
            ),
        )

"""The `frames` controller: values over time from a file."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import ControlTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Controller

FORMATS = (".csv", ".npz")


@attrs.frozen(kw_only=True)
class Frames:
    """Play values from a file: automation. Learns nothing.

    The file has a column `time` in seconds from the start of every recording, rising, and one column per
    parameter, in its unit, named "node.parameter" or, where no other node has one of that name,
    "parameter". Of a parameter with several values, "parameter[0]", "parameter[1]" and so on are one each.
    A CSV file may add units, "tone.frequency (Hz)", which are checked; in an .npz file the columns are
    arrays. Between two rows values glide along the parameter's mapping (a frequency in equal ratios) or
    hold; before the first row and after the last, that row holds. The finest step is one frame of the run.
    """

    file: pathlib.Path = opt(help="CSV or .npz file of the values over time")
    interpolation: str = opt("linear", choices=("linear", "hold"), help="what happens between two rows")

    @classmethod
    def examples(cls, folder: pathlib.Path) -> tuple[Frames, ...]:
        """Return a file of two moving parameters and a still spectrum, written to `folder`."""
        names = ("time", "gain", "frequency", *(f"magnitudes[{row}]" for row in range(3)))
        rows = ((0.0, -6.0, 200.0, 0.1, 0.2, 0.3), (0.01, 6.0, 4000.0, 0.1, 0.2, 0.3))
        lines = [",".join(map(str, line)) for line in (names, *rows)]
        files = [folder / "rising.csv", folder / "falling.csv"]
        folder.mkdir(parents=True, exist_ok=True)
        files[0].write_text("\n".join(lines), encoding="utf-8")
        files[1].write_text("\n".join(lines).replace("-6.0", "9.0"), encoding="utf-8")
        return tuple(cls(file=file) for file in files)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse a file that is not there or of another format."""
        if self.file.suffix.lower() not in FORMATS:
            yield "file", f"{self.file.name} is of no known format; write a {' or '.join(FORMATS)} file"
        elif not self.file.is_file():
            yield "file", f"no file {self.file}; relative paths start at the folder of this experiment"

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare frames on the run's hop, made from nothing but the time."""
        return ControlTraits(rate="frame", hop=ctx.hop)

    def build(self, ctx: BuildContext) -> Controller:
        """Read the file; raises `AssemblyError` with what is wrong in it."""
        from fxkit_control._automation import normalised, read
        from fxkit_control._frames import FramesModule

        times, values = normalised(read(self.file), ctx)
        return FramesModule(times, values, ctx.hop, hold=self.interpolation == "hold")

"""The `guitarml` importer: recurrent networks of Automated-GuitarAmpModelling and GuitarML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Importer


@attrs.frozen(kw_only=True)
class GuitarML:
    """Read the JSON files of Automated-GuitarAmpModelling: LSTM and GRU.

    The files that its training writes ("model_data" and "state_dict"; Wright, Damskägg, Juvela and
    Välimäki, 2020), which Proteus, NeuralPi and other plugins of GuitarML play. They do not say at what
    rate the recordings were made. Inputs beside the audio become knobs.
    """

    sample_rate: int = opt(44100, unit="Hz", ge=8000, le=384000, help="rate of the recordings")

    @classmethod
    def files(cls, folder: Path) -> tuple[Path, ...]:
        """Write small files of the format."""
        from fxkit_exchange._guitarml import write_samples

        return write_samples(folder)

    def build(self, ctx: BuildContext) -> Importer:
        """Build the importer."""
        from fxkit_exchange._guitarml import GuitarMLReader

        return GuitarMLReader(sample_rate=self.sample_rate)

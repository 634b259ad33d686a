"""The `nam` importer: models of Neural Amp Modeler."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Importer


@attrs.frozen(kw_only=True)
class NamImporter:
    """Read the `.nam` files of Neural Amp Modeler: WaveNet and LSTM.

    The WaveNet becomes `wavenet` and the LSTM `lstm`, with the very weights. A file that packs several
    sizes of a model (SlimmableContainer, the default of version 0.13) gives the one that `size` names.
    """

    size: float = opt(1.0, gt=0, le=1, help="of a file that packs several sizes: the share of the largest")
    sample_rate: int | None = opt(
        None, unit="Hz", ge=8000, le=384000, help="rate of the recordings, for a file that does not say"
    )

    @classmethod
    def examples(cls) -> tuple[NamImporter, ...]:
        """Return the form that knows of the rate, beside the plain one."""
        return (cls(), cls(sample_rate=44100))

    @classmethod
    def files(cls, folder: Path) -> tuple[Path, ...]:
        """Write small files of the format."""
        from fxkit_exchange._nam_samples import write_samples

        return write_samples(folder)

    def build(self, ctx: BuildContext) -> Importer:
        """Build the importer."""
        from fxkit_exchange._nam_importer import NamReader

        return NamReader(size=self.size, sample_rate=self.sample_rate)

"""The `vggish` embedding: the network of the published Fréchet audio distance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import EmbeddingTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Embedding

NEEDED = "vggish-10086976.pth"


@attrs.frozen(kw_only=True)
class VGGish:
    """Describe a window of 0.96 s by the 128 numbers of VGGish (Hershey et al., ICASSP 2017).

    The weights are those of the PyTorch port, a file called vggish-10086976.pth, which is not part of
    fxkit and never fetched: put it somewhere and name it. Its SHA-256 is checked. The numbers are those
    before the last activation and without the quantised principal components, as common tools for the
    Fréchet audio distance (Kilgour et al., 2019) take them.
    """

    weights: Path = opt(help="the file vggish-10086976.pth")
    sha256: str = opt("10086976", help="how the file's SHA-256 begins; empty to take any file")

    @classmethod
    def examples(cls, folder: Path) -> tuple[VGGish, ...]:
        """Return the network with weights that were drawn at random, in files in `folder`."""
        from fxkit_embeddings._vggish import write_random

        folder.mkdir(parents=True, exist_ok=True)
        paths = [write_random(folder / f"random-{seed}.pth", seed) for seed in (0, 1)]
        return tuple(cls(weights=path, sha256="") for path in paths)

    def traits(self, ctx: BuildContext) -> EmbeddingTraits:
        """Declare that it is published for the Fréchet audio distance."""
        return EmbeddingTraits(published_for_fad=True)

    def unmet(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the file."""
        from fxkit_embeddings._weight_file import fault

        wrong = fault(self.weights, NEEDED, self.sha256)
        if wrong:
            yield "weights", wrong

    def build(self, ctx: BuildContext) -> Embedding:
        """Build the network; raises `AssemblyError` when the file is missing or another one."""
        from fxkit_embeddings._vggish import loaded

        return loaded(self.weights, self.sha256, ctx)

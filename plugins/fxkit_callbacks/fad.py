"""The `fad` callback: the Fréchet audio distance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.traits import embedding_traits
from fxkit_callbacks._sets import Comparer, Comparing

if TYPE_CHECKING:
    from fxkit.set_distance import SetDistance


@attrs.frozen(kw_only=True)
class FAD(Comparing):
    """Tell the Fréchet audio distance of the predictions to recordings (Kilgour et al., 2019).

    Only with an embedding that such a distance was published with: `vggish`, `clap`, or another that
    declares it; the callback set-distance takes any. The figure is the squared distance of two normal
    distributions, beside the noise floor (the same of random parts of the reference) and that of real
    recordings that are not in the reference. It depends on the embedding and on the number of windows:
    only figures of one embedding, one reference and about one size of set can be compared. Where the sets
    are too small for it, the maximum mean discrepancy is given instead.
    """

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse an embedding with which no such distance was published."""
        if not embedding_traits(self.embedding, BuildContext()).published_for_fad:
            reason = "no Fréchet audio distance was published with it"
            yield "embedding", f"{reason}; use the callback set-distance, which takes any"

    def build(self, ctx: BuildContext) -> FrechetAudio:
        """Build the callback and its embedding; raises `ValueError` for an embedding that is not for it."""
        for name, text in self.problems():
            raise ValueError(f"{name}: {text}")
        return FrechetAudio(self, self.embedding_for(ctx), "fad", memorised=False)


class FrechetAudio(Comparer):
    """Put the Fréchet distance first."""

    def line(self, found: SetDistance) -> str:
        """Write the distance, or why there is none and what there is instead."""
        if found.frechet is not None:
            return str(found.frechet)
        instead = "" if found.mmd is None else f"; maximum mean discrepancy {found.mmd}"
        return f"not told, too few windows{instead}"

"""The `set-distance` callback: how far the predictions, as a set, are from the recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit_callbacks._sets import Comparer, Comparing

if TYPE_CHECKING:
    from fxkit.context import BuildContext


@attrs.frozen(kw_only=True)
class SetDistance(Comparing):
    """Tell how far the predictions, as a set, are from recordings, by any embedding.

    The headline is the unbiased squared maximum mean discrepancy (Gretton et al., JMLR 2012) with a
    Gaussian kernel as wide as the reference's median distance; it is 0 on average for sets of one kind, small
    ones too. Beside it stand the noise floor, what random parts of the reference are apart, and the
    distance of real recordings that are not in it: below the higher of the two nothing can be told. The
    Fréchet distance is given where the sets are large enough.

    `memorised` is the share of windows that lie nearer to a window of the training recordings than all but
    1 % of the held-out ones do: copies, where it is far above 1 %.
    """

    memorised: bool = opt(
        True,
        help="tell how many windows are copies; it embeds the training recordings at eighths of a window",
    )

    def build(self, ctx: BuildContext) -> Comparer:
        """Build the callback and its embedding."""
        return Comparer(self, self.embedding_for(ctx), "set-distance", memorised=self.memorised)

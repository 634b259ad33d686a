"""A plugin that lacks a file or a package here is described and not built."""

from __future__ import annotations

import attrs

from fxkit.context import BuildContext
from fxkit.spec import opt
from fxkit.testing import trials_of


@attrs.frozen(kw_only=True)
class Needy:
    """Describe windows by weights that are nowhere."""

    weights: str = opt("here", help="where they would be")

    def unmet(self):
        """Yield what is missing."""
        if self.weights != "there":
            yield "weights", "no file here; put it there"

    def build(self, ctx: BuildContext):
        """Fail."""
        raise FileNotFoundError(self.weights)


def test_checks_of_what_cannot_be_built_say_why_there_is_nothing_to_check():
    trials = {trial.check.__name__: trial for trial in trials_of("embedding", Needy)}
    assert trials["check_embedding_shape"]() == "no file here; put it there"
    assert trials["check_embedding_options"]() == "no file here; put it there"
    assert trials["check_described"]() is None

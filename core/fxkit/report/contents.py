"""What a report is made of: one run or several, each with its figures, sound and description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.scores import Comparison, Scores

if TYPE_CHECKING:
    from fxkit.engine.evaluation import Evaluation
    from fxkit.inspection.card import ModelCard
    from fxkit.inspection.response import Response
    from fxkit.inspection.static_curve import Curve
    from fxkit.runs.folder import RunFolder


@attrs.frozen(kw_only=True, eq=False)
class RunContents:
    """Hold what the report says of one run.

    `response` and `curve` are there where the model could be measured; `unmeasured` says why not.
    `records` are those of the journal; `resolved`, `lock` and `results` the documents of its folder,
    empty where there is none yet; `resolved_text` and `lock_text` the files as they stand.
    """

    folder: RunFolder
    scores: Scores
    evaluation: Evaluation
    card: ModelCard | None = None
    response: Response | None = None
    curve: Curve | None = None
    unmeasured: str = ""
    records: tuple[Mapping[str, Any], ...] = ()
    resolved: Mapping[str, Any] = attrs.field(factory=dict)
    lock: Mapping[str, Any] = attrs.field(factory=dict)
    results: Mapping[str, Any] = attrs.field(factory=dict)
    resolved_text: str = ""
    lock_text: str = ""


@attrs.frozen(kw_only=True, eq=False)
class Contents:
    """Hold the runs of a report; `comparison` tells how they differ from the first, where there are several.

    All runs are of the same split of the same recordings.
    """

    runs: tuple[RunContents, ...]
    comparison: Comparison | None = None

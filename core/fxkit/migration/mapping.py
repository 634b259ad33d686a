"""Look up what a class of another program is called here.

A class is found by its last name, "LSTM" for "nablafx.lstm.LSTM", within the role that it plays.
"""

from __future__ import annotations

from collections.abc import Mapping

from fxkit.migration.nablafx_classes import PROCESSORS
from fxkit.migration.nam_classes import NETS
from fxkit.migration.rules import ClassRule
from fxkit.migration.training_classes import CALLBACKS, LOSSES, OPTIMIZERS, SCHEDULES

ROLES: Mapping[str, Mapping[str, ClassRule]] = {
    "processors": PROCESSORS,
    "nam": NETS,
    "losses": LOSSES,
    "optimizers": OPTIMIZERS,
    "schedules": SCHEDULES,
    "callbacks": CALLBACKS,
}


def class_rule(role: str, path: str) -> ClassRule | None:
    """Return the rule for a class by its import path, or its last name; None when there is none."""
    return ROLES[role].get(path.rpartition(".")[2])

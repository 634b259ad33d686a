"""The name of a run is one folder's name."""

from __future__ import annotations

import pytest

from fxkit.errors import ExperimentError
from fxkit.experiment.reader import read_experiment


@pytest.mark.parametrize("name", ["../escape", "a/b", "", " ", ".hidden", "a\\\\b"])
def test_a_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(ExperimentError, match=r"run\.name: .* cannot name a folder"):
        read_experiment("quickstart", overrides=[f'run.name="{name}"'])

"""The pattern of a loss: a mean of powers of the error."""

from __future__ import annotations

from typing import Any

LOSS: dict[str, Any] = {
    "kind": "loss",
    "kinds": "losses",
    "summary": "A mean of powers of the error",
    "files": {
        "$package/$module.py": '''"""The $name loss: a mean of powers of the error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from fxkit import BuildContext, opt

if TYPE_CHECKING:
    from $package._$module import ${spec}Module


@attrs.frozen(kw_only=True)
class $spec:
    """Compare two waveforms sample by sample."""

    power: float = opt(2.0, ge=1, le=8, help="power of each error; a larger one minds large errors more")

    def build(self, ctx: BuildContext) -> ${spec}Module:
        """Build the module."""
        from $package._$module import ${spec}Module

        return ${spec}Module(self.power)
''',
        "$package/_$module.py": '''"""The module of the $name loss."""

from __future__ import annotations

from fxkit import Batch, Output
from torch import Tensor, nn


class ${spec}Module(nn.Module):
    """Return the mean of |output - target|^power for each item."""

    def __init__(self, power: float) -> None:
        super().__init__()
        self.power = power

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """Return one value [batch] per item; what is trained on is their mean."""
        error = (output.audio - batch.target).abs()
        return (error**self.power).mean(dim=(1, 2))
''',
        "tests/test_$module.py": '''"""The plugin against a plain calculation and the contract tests."""

from __future__ import annotations

import pytest
import torch
from fxkit import Batch, BuildContext, Output
from fxkit.testing import contract_tests
from $package.$module import $spec

test_${module}_keeps_the_contract = contract_tests("loss", $spec)


def test_errors_are_raised_to_the_power_and_averaged() -> None:
    output, target = torch.tensor([[[0.0, 1.0, 3.0]]]), torch.tensor([[[0.0, 0.0, 1.0]]])
    value = $spec(power=3.0).build(BuildContext())(Output(audio=output), Batch(target=target))
    assert value.tolist() == pytest.approx([(0 + 1 + 8) / 3])
''',
    },
}

"""The pattern of a processor: a saturator with one parameter."""

from __future__ import annotations

from typing import Any

PROCESSOR: dict[str, Any] = {
    "kind": "processor",
    "kinds": "processors",
    "summary": "A saturator with a learned drive",
    "files": {
        "$package/$module.py": '''"""The $name processor: a saturator with a learned drive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
from fxkit import BuildContext, Parameter, Traits, opt

if TYPE_CHECKING:
    from $package._$module import ${spec}Module


@attrs.frozen(kw_only=True)
class $spec:
    """Saturate by a hyperbolic tangent."""

    high: float = opt(40.0, unit="dB", gt=0, le=120, help="highest drive a controller can set")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the drive, which may move at every sample."""
        drive = Parameter(name="drive", low=0.0, high=self.high, default=0.0, unit="dB", help="gain")
        return (drive,)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare that each sample depends on itself alone."""
        return Traits(receptive_field=1)

    def build(self, ctx: BuildContext) -> ${spec}Module:
        """Build the module."""
        from $package._$module import ${spec}Module

        return ${spec}Module()
''',
        "$package/_$module.py": '''"""The module of the $name processor."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class ${spec}Module(nn.Module):
    """Return tanh(10^(drive / 20) x)."""

    def forward(self, audio: Tensor, params: Mapping[str, Tensor], state: None = None) -> tuple[Tensor, None]:
        """Saturate audio [batch, channels, samples] by `drive` [batch, 1, 1 or samples] in dB.

        A processor with a memory returns it in the place of None, and begins with it when `state` is given.
        """
        return torch.tanh(audio * 10 ** (params["drive"] / 20)), None
''',
        "tests/test_$module.py": '''"""The plugin against a plain calculation and the contract tests."""

from __future__ import annotations

import math

import pytest
import torch
from fxkit import BuildContext
from fxkit.testing import contract_tests
from $package.$module import $spec

test_${module}_keeps_the_contract = contract_tests("processor", $spec)


@pytest.mark.parametrize("drive", [0.0, 12.0, 40.0])
def test_samples_are_saturated(drive: float) -> None:
    audio = torch.linspace(-1.0, 1.0, 9, dtype=torch.float64).reshape(1, 1, 9)
    settings = {"drive": torch.full((1, 1, 1), drive, dtype=torch.float64)}
    output, _ = $spec().build(BuildContext())(audio, settings)
    expected = [math.tanh(x * 10 ** (drive / 20)) for x in audio.flatten().tolist()]
    assert output.flatten().tolist() == pytest.approx(expected)
''',
    },
}

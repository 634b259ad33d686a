"""Published networks with published conditionings have the published number of weights."""

from __future__ import annotations

import pytest

from fxkit.context import BuildContext
from fxkit_neural.gcn import GCN
from fxkit_neural.lstm import LSTM
from fxkit_neural.s4 import S4
from fxkit_neural.tcn import TCN
from fxkit_neural.tfilm import TFiLM
from fxkit_neural.tvconcat import TVConcat


def weights(network, preset, conditioning, **options):
    published = type(conditioning)(**conditioning.presets()["published"], **options)
    spec = network(**network.presets()[preset], conditioning=published)
    # With the mix behind the last gate, which is kept and not trained.
    return sum(weight.numel() for weight in spec.build(BuildContext()).state_dict().values())


@pytest.mark.parametrize(
    ("network", "preset", "count"),
    [
        (TCN, "45-s", 39457),
        (TCN, "250-l", 88801),
        (TCN, "2500-s", 45697),
        (GCN, "45-s", 141601),
        (GCN, "2500-l", 277281),
        (S4, "s", 27953),
        (S4, "l", 70193),
    ],
)
def test_networks_with_tfilm_have_the_published_number_of_weights(network, preset, count):
    assert weights(network, preset, TFiLM()) == count


@pytest.mark.parametrize(("preset", "count"), [("32", 8.0), ("96", 45.7)])
def test_lstms_with_tvconcat_and_three_knobs_have_the_published_thousands_of_weights(preset, count):
    assert round(weights(LSTM, preset, TVConcat(), size=3) / 1000, 1) == count

from __future__ import annotations

from itertools import accumulate, pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.traits import ConditioningTraits
from fxkit.whole_blocks import WholeBlocks, on_whole_blocks

BLOCK = 16


class Peaks(torch.nn.Module):
    """Add to each sample of a block the block's peak and the block's number; silence gives 0.25."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.lengths = []

    def forward(self, audio, params, state=None):
        self.lengths.append(audio.shape[-1])
        first = 0 if state is None else int(state["number"])
        blocks = audio.unflatten(-1, (-1, BLOCK))
        numbers = torch.arange(first, first + blocks.shape[2])[:, None]
        gain = params["gain"].expand(-1, -1, audio.shape[-1]).unflatten(-1, (-1, BLOCK))
        output = (gain * blocks + blocks.amax(-1, keepdim=True) + numbers + 0.25) * self.weight
        return output.flatten(-2), {"number": torch.tensor(first + blocks.shape[2])}

    def weight_rules(self):
        return {"weight": {"lr": 0.1}}


def streamed(module, audio, gain, blocks):
    state, pieces = None, []
    for start, stop in pairwise((0, *accumulate(blocks))):
        params = {"gain": gain if gain.shape[-1] == 1 else gain[..., start:stop]}
        output, state = module(audio[..., start:stop], params, state)
        pieces.append(output)
    return torch.cat(pieces, dim=-1)


@settings(max_examples=40, deadline=None)
@given(blocks=st.lists(st.integers(0, 50), min_size=1, max_size=9), moving=st.booleans())
def test_any_split_gives_whole_blocks_late_by_all_but_one_sample(blocks, moving):
    total = sum(blocks)
    audio, inner = torch.randn(2, 1, total), Peaks()
    gain = torch.rand(2, 1, total if moving else 1)
    output = streamed(WholeBlocks(inner, BLOCK), audio, gain, blocks)
    assert all(length % BLOCK == 0 for length in inner.lengths)
    whole = total // BLOCK * BLOCK
    late = torch.full((2, 1, BLOCK - 1), 0.25)
    if whole:
        tracks = {"gain": gain.expand(-1, -1, total)[..., :whole]}
        late = torch.cat((late, Peaks()(audio[..., :whole], tracks)[0]), dim=-1)
    assert torch.allclose(output, late[..., :total], atol=1e-6)


def test_state_does_not_keep_the_block_alive():
    module = WholeBlocks(Peaks(), BLOCK)
    _, state = module(torch.randn(1, 1, 4096 + 3), {"gain": torch.ones(1, 1, 1)})
    for tensor in (state["audio"], state["params"]["gain"], state["ready"]):
        assert tensor.untyped_storage().nbytes() <= 4 * BLOCK


def test_networks_that_do_not_look_ahead_stay_as_they_are():
    inner = Peaks()
    assert on_whole_blocks(inner, ConditioningTraits(block=BLOCK)) is inner
    wrapped = on_whole_blocks(inner, ConditioningTraits(block=BLOCK, lookahead=3))
    assert wrapped.block == BLOCK


@pytest.mark.parametrize(("lookahead", "latency"), [(0, 0), (1, 127), (127, 127)])
def test_latency_is_what_a_block_takes_to_fill(lookahead, latency):
    assert ConditioningTraits(block=128, lookahead=lookahead).latency == latency


def test_rules_for_weights_go_by_the_names_that_they_have_in_it():
    module = WholeBlocks(Peaks(), BLOCK)
    assert module.weight_rules() == {"module.weight": {"lr": 0.1}}
    assert set(module.weight_rules()) == set(dict(module.named_parameters()))
    assert WholeBlocks(torch.nn.Identity(), BLOCK).weight_rules() == {}

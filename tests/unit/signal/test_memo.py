"""What constants were turned into is remembered while nothing is trained, and only then."""

from __future__ import annotations

import copy

import torch

from fxkit_signal.memo import Memo


def counted():
    calls = []

    def make():
        calls.append(1)
        return torch.tensor(float(len(calls)))

    return make, calls


def test_the_same_tensors_are_used_once():
    memo, (make, calls), x = Memo(), counted(), torch.ones(3)
    with torch.no_grad():
        assert memo(make, x, 4) is memo(make, x, 4)
    assert len(calls) == 1


def test_equal_but_other_tensors_are_used_again():
    memo, (make, calls) = Memo(), counted()
    with torch.no_grad():
        memo(make, torch.ones(3))
        memo(make, torch.ones(3))
    assert len(calls) == 2


def test_tensors_changed_in_place_are_used_again():
    memo, (make, calls), x = Memo(), counted(), torch.ones(3)
    with torch.no_grad():
        memo(make, x)
        x.add_(1)
        memo(make, x)
        memo(make, x)
    assert len(calls) == 2


def test_other_numbers_are_used_again():
    memo, (make, calls), x = Memo(), counted(), torch.ones(3)
    with torch.no_grad():
        memo(make, x, 4)
        memo(make, x, 5)
        memo(make, x)
    assert len(calls) == 3


def test_nothing_is_remembered_where_gradients_are_recorded():
    memo, (make, calls), x = Memo(), counted(), torch.ones(3)
    memo(make, x)
    memo(make, x)
    assert len(calls) == 2


def test_a_copy_forgets_nothing_and_disturbs_nothing():
    memo, (make, calls), x = Memo(), counted(), torch.ones(3)
    with torch.no_grad():
        memo(make, x)
        copy.deepcopy(memo)(make, x)
        memo(make, x)
    assert len(calls) == 2

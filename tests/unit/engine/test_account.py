"""A step's account says what each loss contributed, and looking at gradients costs little."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fxkit.engine.account import (
    Account,
    dominance_line,
    dominant,
    gradient_norms,
    looks_at_gradients,
    part_values,
    summary,
)
from fxkit.engine.readout import Readout


def account(*, step=7, shares=True):
    values = torch.tensor([0.5, 2.0, 0.7, 0.25, 0.75, 3.0, 1.0])
    beside = ("part/sum.one", "part/sum.two", "norm/esr", "norm/sum")
    count = 7 if shares else 5
    names = beside if shares else beside[:2]
    return Account(
        step=step,
        weights={"esr": 0.4, "sum": 0.1},
        inner={"sum.one": 2.0, "sum.two": 2.0},
        losses=Readout(("esr", "sum", "total"), values[:count], names),
    )


def test_a_record_holds_weights_weighted_values_shares_and_parts():
    record = account().record()
    assert record["weights"] == {"esr": 0.4, "sum": 0.1}
    assert record["weighted"] == pytest.approx({"esr": 0.2, "sum": 0.2})
    assert record["gradient_share"] == pytest.approx({"esr": 0.75, "sum": 0.25})
    assert record["parts"]["sum.two"] == pytest.approx({"raw": 0.75, "weight": 0.2, "weighted": 0.15})


def test_shares_are_absent_where_gradients_were_not_compared():
    plain = account(shares=False)
    assert not plain.compares_gradients
    assert "gradient_share" not in plain.record()
    assert account().compares_gradients


def test_an_account_comes_back_from_its_state():
    first = account()
    again = Account.of_state(first.state_dict())
    assert again.record() == first.record()
    assert dict(again.losses) == dict(first.losses)


def test_figures_are_flat():
    assert account().figures() == pytest.approx(
        {
            "weight/esr": 0.4,
            "weight/sum": 0.1,
            "weighted/esr": 0.2,
            "weighted/sum": 0.2,
            "gradient_share/esr": 0.75,
            "gradient_share/sum": 0.25,
            "raw/sum.one": 0.25,
            "raw/sum.two": 0.75,
        }
    )


def test_norms_are_those_of_each_loss_alone_and_the_graph_is_left():
    draw = torch.Generator().manual_seed(0)
    first, second = (torch.randn(3, 2, generator=draw, requires_grad=True) for _ in range(2))
    unused = torch.zeros(4, requires_grad=True)
    a, b = (first @ second.T).square().sum(), second.abs().sum()
    constant = torch.tensor(3.0)
    norms = gradient_norms({"a": a, "b": b, "constant": constant}, [first, second, unused])
    product = (first @ second.T).detach()
    expected = [2 * product @ second.detach(), 2 * product.T @ first.detach()]
    assert float(norms["norm/a"]) == pytest.approx(math.sqrt(sum(float(g.square().sum()) for g in expected)))
    assert float(norms["norm/b"]) == pytest.approx(math.sqrt(6))
    assert float(norms["norm/constant"]) == 0.0
    (a + b).backward()
    assert torch.allclose(first.grad, expected[0])


def test_a_single_loss_has_all_of_the_gradient():
    weight = torch.ones(2, requires_grad=True)
    assert float(gradient_norms({"a": weight.sum()}, [weight])["norm/a"]) == 1.0


@given(
    st.integers(1, 400),
    st.integers(2, 8),
    st.integers(1, 60).map(lambda times: 50 * times),
)
def test_comparing_gradients_takes_less_than_2_percent_of_the_steps(validate_every, terms, steps):
    compared = [step for step in range(2, steps) if looks_at_gradients(step, validate_every, terms, steps)]
    assert looks_at_gradients(1, validate_every, terms, steps)
    assert all(step % validate_every == 0 for step in compared)
    # Each takes less than a step for each loss.
    assert terms * len(compared) <= 0.02 * steps


def test_the_last_step_is_compared_in_long_runs():
    assert looks_at_gradients(333, 100, 2, 333)
    assert not looks_at_gradients(33, 100, 2, 33)
    assert not looks_at_gradients(333, 100, 2, None)


def test_dominance_needs_something_to_dominate():
    assert dominant({"esr": 0.96, "dc": 0.04}) == "esr"
    assert dominant({"esr": 0.9, "dc": 0.1}) is None
    assert dominant({"esr": 1.0}) is None
    line = dominance_line(500, "esr", {"esr": 0.96, "dc": 0.04})
    assert line.startswith("step 500  losses.esr makes 96.0% of the gradient (dc 4.0%)")


def test_a_summary_says_of_which_step_its_shares_are():
    assert "75.0% of the gradient" in summary(account(), account())
    assert summary(account(), account()).splitlines()[0] == "losses of step 7"
    head, *lines = summary(account(step=9), account()).splitlines()
    assert head == "losses of step 9, shares of the gradient of step 7"
    assert [line.split()[0] for line in lines] == ["esr", "sum", "sum.one", "sum.two"]
    assert "gradient" not in summary(account(), None)


def test_parts_are_averaged_without_a_gradient():
    value = torch.tensor([1.0, 3.0], requires_grad=True)
    found = part_values({"sum.one": (2.0, value)})
    assert {name: float(one) for name, one in found.items()} == {"part/sum.one": 2.0}
    assert not found["part/sum.one"].requires_grad

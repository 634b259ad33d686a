"""Figures of recordings from which one stretch of time after the other is left out."""

from __future__ import annotations

import pytest
import torch

from fxkit.engine.evaluation import Example
from fxkit.engine.objective import Term
from fxkit.engine.stretches import without_stretches
from fxkit.traits import LossTraits

RATE = 100


def power(output, batch):
    return (output.audio - batch.target).square().mean((1, 2))


def distance_to_input(output, batch):
    return (output.audio - batch.input).abs().mean((1, 2))


TERMS = (Term("power", power, 0.5), Term("dry", distance_to_input, None))


def example(samples, skip=0, name="take", seed=0):
    generator = torch.Generator().manual_seed(seed)
    target, prediction, dry = torch.randn(3, 1, samples, generator=generator)
    return Example(
        name=name,
        target=target,
        prediction=prediction,
        input=dry,
        skip=skip,
        metrics={},
        stems={},
        parameters={},
    )


def measured(*examples, terms=TERMS, stretches=10):
    return without_stretches(terms, examples, stretches=stretches, sample_rate=RATE)


def test_each_figure_is_of_all_but_one_stretch():
    take = example(1030, skip=30)
    found = measured(take)["take"]
    assert {name: len(values) for name, values in found.items()} == {"power": 10, "dry": 10, "loss": 10}
    kept = torch.cat([torch.arange(30, 330), torch.arange(430, 1030)])
    error = (take.prediction - take.target)[0, kept].double()
    assert found["power"][3] == pytest.approx(float(error.square().mean()), rel=1e-5)
    apart = (take.prediction - take.input)[0, kept].double()
    assert found["dry"][3] == pytest.approx(float(apart.abs().mean()), rel=1e-5)


def test_the_total_is_weighted_like_the_losses():
    found = measured(example(1000))["take"]
    assert found["loss"] == pytest.approx([0.5 * value for value in found["power"]])


def test_stretches_last_half_a_second_at_least():
    found = measured(example(310), example(700, name="other"))
    assert {name: len(figures["power"]) for name, figures in found.items()} == {"take": 6, "other": 10}


@pytest.mark.parametrize(
    ("lengths", "stretches"), [((240,), 10), ((1000, 90), 10), ((1000,), 0), ((1000,), 3)]
)
def test_too_few_stretches_are_not_measured(lengths, stretches):
    examples = [example(samples, name=f"take{samples}") for samples in lengths]
    assert measured(*examples, stretches=stretches) == {}


def test_what_reads_terms_of_the_model_is_left_out_and_with_it_the_total():
    hidden = Term("kl", power, 0.1, traits=LossTraits(distance=False, terms=("latent.mean",)))
    assert set(measured(example(1000), terms=(*TERMS, hidden))["take"]) == {"power", "dry"}

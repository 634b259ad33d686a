"""What takes no model, measured by the run's own losses and metrics."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
import torch
from scipy.signal import lfilter

from fxkit.engine.baselines import baselines
from fxkit.engine.material import Material
from fxkit.engine.objective import Term
from fxkit.traits import LossTraits
from fxkit.values import Recording


def error(output, batch):
    return (output.audio - batch.target).square().mean((1, 2)) / batch.target.square().mean((1, 2))


TERMS = (Term("esr", error, 1.0),)


def recording(name, target, dry=None, **rest):
    return Recording(name=name, target=target.float(), input=None if dry is None else dry.float(), **rest)


def noise(samples, channels=1, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(channels, samples)))


def filtered(dry, seed=9):
    taps = np.random.default_rng(seed).normal(size=20) * np.exp(-np.arange(20) / 4)
    return torch.from_numpy(lfilter(taps, [1.0], dry.numpy()))


def material(*recordings):
    return Material(recordings=recordings, features=tuple({} for _ in recordings))


def device(samples, seed, **rest):
    dry = noise(samples, seed=seed)
    return recording(f"take{seed}", filtered(dry), dry, **rest)


def test_a_linear_device_is_met_by_the_filter_fitted_on_other_takes():
    found = baselines(TERMS, material(device(4000, 1), device(3000, 2, skip=100)), [device(9000, 3)], taps=64)
    assert set(found) == {"silence", "input", "gain", "filter"}
    assert found["filter"]["esr"] < 1e-9
    assert found["filter"]["esr"] < found["gain"]["esr"] < found["input"]["esr"]
    assert found["silence"]["esr"] == pytest.approx(1)


def test_the_gain_is_the_one_of_least_error():
    take = device(4000, 1)
    dry, wet = take.input, take.target
    best = min(float((g * dry - wet).square().sum() / wet.square().sum()) for g in np.linspace(-3, 3, 6001))
    assert baselines(TERMS, material(take))["gain"]["esr"] == pytest.approx(best, rel=1e-5)


def test_each_training_recording_counts_alike_however_loud():
    quiet, loud = device(4000, 1), device(4000, 2)
    loud = attrs.evolve(loud, target=100 * loud.target)
    found = baselines(TERMS, material(quiet), [quiet, loud], taps=64)
    # Unweighted, the filter would be half that of the loud device: an error of some thousands.
    assert found["filter"]["esr"] < 0.01


def test_training_recordings_of_silence_leave_silence():
    silent = recording("silent", torch.zeros(1, 500), noise(500))
    assert baselines(TERMS, material(device(900, 1)), [silent])["filter"]["esr"] == pytest.approx(1)


def test_a_device_with_another_number_of_channels_has_a_filter_but_no_gain():
    dry = noise(5000)
    wide = torch.cat([filtered(dry), filtered(dry, 4)])
    take = recording("wide", wide, dry)
    found = baselines(TERMS, material(take), [take], taps=32)
    assert set(found) == {"silence", "filter"}
    assert found["filter"]["esr"] < 1e-9


def test_recordings_without_an_input_are_compared_with_noise_like_them():
    take = recording("flute", noise(9000))
    found = baselines(TERMS, material(take), [take])
    assert set(found) == {"silence", "noise"}
    # Two unrelated signals of one power.
    assert found["noise"]["esr"] == pytest.approx(2, abs=0.2)


def test_losses_on_terms_of_the_model_are_left_out():
    def divergence(output, batch):
        return output.terms["latent.mean"].square().mean((1, 2))

    terms = (*TERMS, Term("kl", divergence, 0.1, traits=LossTraits(distance=False, terms=("latent.mean",))))
    assert set(baselines(terms, material(device(900, 1)))["silence"]) == {"esr"}


def test_the_target_is_prepared_once_for_all_of_them():
    made = []

    def spectral(output, batch):
        expected = batch.shared.of(batch.target, "spectrum", lambda x: made.append(1) or torch.fft.rfft(x))
        return (torch.fft.rfft(output.audio) - expected).abs().mean((1, 2))

    baselines((Term("spectral", spectral, 1.0),), material(device(900, 1), device(500, 2)), [device(900, 3)])
    assert len(made) == 2


def test_no_recordings_give_no_figures():
    assert baselines(TERMS, material()) == {}

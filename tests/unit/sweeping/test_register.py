"""Each trial has one worker, whoever asks, and one that has died is somebody else's."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fxkit.catalog import Catalog
from fxkit.sweeping.axes import Choices, Range
from fxkit.sweeping.checks import checked
from fxkit.sweeping.folder import SweepFolder
from fxkit.sweeping.optuna_parts import RETRIES, require_optuna
from fxkit.sweeping.register import PLACE, Register
from fxkit.sweeping.summary import summarise
from fxkit.sweeping.sweep import Sweep, read_variant

GRID = (Choices("train.optimizer.lr", ("1e-3", "1e-2")), Choices("run.seed", ("1", "2", "3")))


def sweep_with(**changes) -> Sweep:
    return Sweep(**{"experiment": "quickstart", "axes": GRID, "trials": 6, **changes})


@pytest.fixture
def register(tmp_path: Path) -> Register:
    require_optuna()
    return SweepFolder(tmp_path / "s").new_register("s", None, 1)


def chosen(register: Register) -> list[dict]:
    return [dict(one.params) for one in register.attempts()]


def test_a_grid_has_every_combination_once(register: Register) -> None:
    assert register.create(sweep_with())
    assert not register.create(sweep_with())
    found = chosen(register)
    assert len(found) == 6
    assert {(one["train.optimizer.lr"], one["run.seed"]) for one in found} == {
        (rate, seed) for rate in ("1e-3", "1e-2") for seed in ("1", "2", "3")
    }
    assert register.sweep() == sweep_with()


def test_values_at_random_depend_on_the_seed_alone(tmp_path: Path) -> None:
    require_optuna()
    axes = (Range("a", 0, 1, whole=False), Range("b", 1, 4, whole=True))
    found = []
    for name, seed in (("x", 3), ("y", 3), ("z", 4)):
        register = SweepFolder(tmp_path / name).new_register(name, None, 1)
        register.create(sweep_with(axes=axes, sampler="random", trials=5, seed=seed))
        found.append(chosen(register))
    assert found[0] == found[1] != found[2]
    assert all(0 <= one["a"] <= 1 and one["b"] in (1, 2, 3, 4) for one in found[0])


def test_workers_that_ask_at_once_get_different_trials(register: Register) -> None:
    sweep = sweep_with(axes=(Choices("run.seed", tuple(map(str, range(12)))),), trials=12)
    register.create(sweep)
    taken: list[int] = []

    def work() -> None:
        while (trial := register.claim(sweep)) is not None:
            taken.append(trial.user_attrs[PLACE])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(12))


def test_a_trial_that_is_given_back_keeps_its_place_and_its_values(register: Register) -> None:
    register.create(sweep_with())
    trial = register.claim(sweep_with())
    assert trial is not None
    values = [axis.drawn(trial) for axis in GRID]
    register.give_back(trial)
    again = register.claim(sweep_with())
    assert again is not None
    assert again.user_attrs[PLACE] == trial.user_attrs[PLACE]
    assert [axis.drawn(again) for axis in GRID] == values
    assert len(register.attempts()) == 6


def test_a_silent_workers_trial_waits_again_but_not_for_ever(register: Register) -> None:
    sweep = sweep_with(axes=(Range("a", 0, 1, whole=False),), sampler="tpe", trials=1)
    register.create(sweep)
    values = set()
    for attempt in range(RETRIES + 1):
        trial = register.claim(sweep)
        assert trial is not None, attempt
        values.add(sweep.axes[0].drawn(trial))
        assert register.mend() == ()
        with register.storage.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE trial_heartbeats SET heartbeat = '2020-01-01 00:00:00'")
        assert register.mend() == (0,)
    assert len(values) == 1
    assert register.claim(sweep) is None
    row = summarise(register, sweep).rows[0]
    assert (row.state, row.error) == ("failed", f"its worker died {RETRIES + 1} times")


def test_a_trial_whose_worker_died_before_it_gave_a_sign_waits_again(register: Register) -> None:
    register.create(sweep_with())
    trial = register.claim(sweep_with())
    assert trial is not None
    with register.storage.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM trial_heartbeats")
        connection.exec_driver_sql(
            "UPDATE trials SET datetime_start = '2020-01-01 00:00:00' WHERE state = 'RUNNING'"
        )
    register.mend()
    assert register.counts()["waiting"] == 6


def test_the_direction_is_that_of_the_metric() -> None:
    changes = ("metrics.pitch.type=voicing-f1",)
    sweep = sweep_with(axes=GRID[:1], settings=changes)
    assert checked(sweep, "pitch").higher
    assert not checked(sweep, None).higher


def test_every_variant_is_read_with_its_values() -> None:
    read = read_variant(sweep_with(settings=("train.steps=7",)), {"run.seed": "5"}, Catalog.installed())
    assert (read.train.steps, read.run.seed) == (7, 5)


def test_of_many_combinations_each_value_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def noted(sweep, values, catalog):
        read.append(tuple(values.values()))
        return read_variant(sweep, values, catalog)

    monkeypatch.setattr("fxkit.sweeping.checks.read_variant", noted)
    values = tuple(map(str, range(1, 11)))
    axes = tuple(Choices(path, values) for path in ("run.seed", "train.steps", "train.batch_size"))
    assert checked(sweep_with(axes=axes, trials=1000), None).metric == "esr"
    assert len(read) == len(set(read)) == 1 + 3 * 9
    assert {value for one in read for value in one} == set(values)

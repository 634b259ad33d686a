"""The register of a sweep's trials in Optuna's storage: who has which, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.errors import RunError
from fxkit.sweeping.alone import alone
from fxkit.sweeping.axes import canonical
from fxkit.sweeping.optuna_parts import CHOSEN_AT_ONCE, GRACE, build_pruner, build_sampler
from fxkit.sweeping.sweep import Sweep, products, sweep_of

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

# The place of a trial in the sweep, which its retries inherit; Optuna numbers each attempt.
PLACE = "place"
WORKER = "worker"
ERROR = "error"
_DEFINITION = "definition"


@attrs.frozen
class Register:
    """Hold a study and what keeps workers apart on storages that do not do so themselves (`lock`)."""

    name: str
    storage: RDBStorage
    heartbeat: int
    lock: Path | None

    def study(self, sweep: Sweep | None = None) -> Study:
        """Return the study, with the sampler and the pruner of a sweep.

        Raises `RunError` when there is none.
        """
        import optuna

        try:
            return optuna.load_study(
                study_name=self.name,
                storage=self.storage,
                sampler=build_sampler(sweep) if sweep else None,
                pruner=build_pruner(sweep) if sweep else None,
            )
        except KeyError as error:
            raise RunError(f"{self.name}: no sweep of that name in its storage") from error

    def sweep(self) -> Sweep:
        """Return the sweep that was registered, once another process has finished doing so."""
        for _ in range(120):
            found = self.study().user_attrs.get(_DEFINITION)
            if found is not None:
                return sweep_of(found)
            time.sleep(0.5)
        raise RunError(f"{self.name}: its registration was cut off; choose another --name")

    def create(self, sweep: Sweep) -> bool:
        """Register a sweep and all its trials; False when there is one of that name already."""
        import optuna

        with alone(self.lock):
            try:
                study = optuna.create_study(
                    study_name=self.name,
                    storage=self.storage,
                    direction="maximize" if sweep.higher else "minimize",
                )
            except optuna.exceptions.DuplicatedStudyError:
                return False
            study.add_trials(_waiting(sweep))
            study.set_user_attr(_DEFINITION, sweep.document())
            return True

    def claim(self, sweep: Sweep) -> Trial | None:
        """Take a trial that waits; None when none does."""
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import Trial, TrialState

        study = self.study(sweep)
        with alone(self.lock):
            for one in self._trials(TrialState.WAITING):
                try:
                    taken = self.storage.set_trial_state_values(one._trial_id, TrialState.RUNNING)
                except UpdateFinishedTrialError:
                    continue
                if taken:
                    self.storage.record_heartbeat(one._trial_id)
                    return Trial(study, one._trial_id)
        return None

    def give_back(self, trial: Trial) -> None:
        """Let a trial wait again, for whoever goes on with it."""
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        try:
            self.storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)
        except UpdateFinishedTrialError:
            # It was taken for dead and is somebody else's.
            return

    def mend(self) -> tuple[int, ...]:
        """Let the trials of dead workers wait again; returns their places."""
        from optuna.storages import fail_stale_trials
        from optuna.trial import TrialState

        with alone(self.lock):
            before = {one.number: one for one in self._trials(TrialState.RUNNING)}
            self._fail_silent(before.values())
            fail_stale_trials(self.study())
            still = {one.number for one in self._trials(TrialState.RUNNING)}
            gone = [one for number, one in before.items() if number not in still]
            failed = {one.number for one in self._trials(TrialState.FAIL)}
        return tuple(one.user_attrs[PLACE] for one in gone if one.number in failed)

    def _fail_silent(self, running: Iterable[FrozenTrial]) -> None:
        """Let the trials of workers that died before their first sign of life wait again."""
        limit = datetime.now() - timedelta(seconds=GRACE * self.heartbeat)
        from optuna.trial import TrialState

        for one in running:
            if WORKER not in one.user_attrs and one.datetime_start and one.datetime_start < limit:
                self.storage.set_trial_state_values(one._trial_id, TrialState.WAITING)

    def attempts(self) -> list[FrozenTrial]:
        """Return the newest attempt of every trial, in the order of the sweep."""
        newest: dict[int, FrozenTrial] = {}
        for one in self._trials():
            newest[one.user_attrs[PLACE]] = one
        return [newest[place] for place in sorted(newest)]

    def counts(self) -> Mapping[str, int]:
        """Return how many trials are in each state: waiting, running, complete, pruned, fail."""
        found = dict.fromkeys(("waiting", "running", "complete", "pruned", "fail"), 0)
        for one in self.attempts():
            found[one.state.name.lower()] += 1
        return found

    def _trials(self, *states: Any) -> list[FrozenTrial]:
        study_id = self.storage.get_study_id_from_name(self.name)
        found = self.storage.get_all_trials(study_id, deepcopy=False, states=states or None)
        return sorted(found, key=lambda one: one.number)


def _waiting(sweep: Sweep) -> list[FrozenTrial]:
    import optuna

    distributions = {axis.path: axis.distribution() for axis in sweep.axes}
    chosen = list(_chosen(sweep)) or [{} for _ in range(sweep.trials)]
    return [
        optuna.create_trial(
            state=optuna.trial.TrialState.WAITING,
            params=values,
            distributions={path: distributions[path] for path in values},
            user_attrs={PLACE: place},
        )
        for place, values in enumerate(chosen)
    ]


def _chosen(sweep: Sweep) -> Iterable[dict[str, Any]]:
    """Return the values of all trials where they do not depend on what comes of the others."""
    if sweep.sampler not in CHOSEN_AT_ONCE:
        return []
    if sweep.sampler == "grid":
        return list(products(sweep.axes))[: sweep.trials]
    return _drawn(sweep)


def _drawn(sweep: Sweep) -> list[dict[str, Any]]:
    """Draw values at random, none twice: fewer than asked for where there are no more."""
    import optuna

    distributions = {axis.path: axis.distribution() for axis in sweep.axes}
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=sweep.seed))
    found: dict[str, dict[str, Any]] = {}
    for _ in range(50 * sweep.trials):
        values = study.ask(distributions).params
        found.setdefault(canonical(values), values)
        if len(found) == sweep.trials:
            break
    return list(found.values())

"""Optuna as a sweep uses it: storage, samplers and pruners by name."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxkit.errors import RunError
from fxkit.sweeping.sweep import Sweep

if TYPE_CHECKING:
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.storages import RDBStorage

# Values of these are chosen when the sweep begins, whoever trains which trial.
CHOSEN_AT_ONCE = ("grid", "random")
SAMPLERS = (*CHOSEN_AT_ONCE, "tpe", "gp", "cmaes", "qmc", "nsgaii")
PRUNERS = ("none", "median", "asha", "hyperband")
# A worker that is silent for so many heartbeats is taken for dead.
GRACE = 4
RETRIES = 3
_NEEDS = {"cmaes": "cmaes"}


def require_optuna(sampler: str = "grid") -> None:
    """Load Optuna and make it quiet.

    Raises `RunError` that says what to install where it, or what a sampler needs, is missing.
    """
    try:
        import optuna
    except ImportError as error:
        raise RunError(f'fxkit sweep works through Optuna ({error}): pip install "fxkit[sweep]"') from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # That heartbeats, the retry of dead trials and some samplers may change between versions.
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    warnings.filterwarnings("ignore", message="The reported value is ignored")
    needed = _NEEDS.get(sampler)
    try:
        importlib.import_module(needed or "optuna")
    except ImportError as error:
        raise RunError(f'--sampler {sampler} works through "{needed}": pip install {needed}') from error


def open_storage(url: str, heartbeat: int) -> RDBStorage:
    """Open a data base by its URL; workers show every `heartbeat` seconds that they are alive.

    Raises `RunError` when it cannot be reached.
    """
    from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback

    # Workers on one SQLite file wait for each other; a connection that a server closed is opened again.
    arguments: dict[str, Any] = (
        {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {"pool_pre_ping": True}
    )
    try:
        return RDBStorage(
            url,
            engine_kwargs=arguments,
            heartbeat_interval=heartbeat,
            grace_period=GRACE * heartbeat,
            heartbeat_stale_trial_callback=RetryHeartbeatStaleTrialCallback(max_retry=RETRIES),
        )
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise RunError(f"{safe_url(url)}: cannot be opened ({type(error).__name__}: {reason})") from error


def sqlite_url(path: Path) -> str:
    """Return the URL of a file."""
    return f"sqlite:///{path.absolute().as_posix()}"


def safe_url(url: str) -> str:
    """Return a URL without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "--storage"


def build_sampler(sweep: Sweep) -> BaseSampler:
    """Return what chooses values; its random numbers depend on the trial, whichever worker has it."""
    from optuna import samplers

    makers: dict[str, Callable[[int], BaseSampler]] = {
        # Theirs are chosen already.
        "grid": lambda seed: samplers.RandomSampler(seed=seed),
        "random": lambda seed: samplers.RandomSampler(seed=seed),
        "tpe": lambda seed: samplers.TPESampler(seed=seed, constant_liar=True),
        "gp": lambda seed: samplers.GPSampler(seed=seed),
        "cmaes": lambda seed: samplers.CmaEsSampler(seed=seed),
        # One sequence that all workers take from.
        "qmc": lambda seed: samplers.QMCSampler(seed=sweep.seed, scramble=True),
        "nsgaii": lambda seed: samplers.NSGAIISampler(seed=seed),
    }
    from fxkit.sweeping.trial_sampler import TrialSampler

    return TrialSampler(makers[sweep.sampler], sweep.seed)


def build_pruner(sweep: Sweep) -> BasePruner:
    """Return what ends trials that promise little; resources are training steps."""
    from optuna import pruners

    resource: Any = sweep.steps or "auto"
    makers: dict[str, Callable[[], BasePruner]] = {
        "none": pruners.NopPruner,
        "median": lambda: pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=sweep.every),
        "asha": lambda: pruners.SuccessiveHalvingPruner(min_resource=sweep.every),
        "hyperband": lambda: pruners.HyperbandPruner(min_resource=sweep.every, max_resource=resource),
    }
    return makers[sweep.pruner]()

"""Measure how long fxkit takes to the error that a peer's own training reaches with the same network.

    python tests/performance/bench_time_to_quality.py nablafx-tcn45 path/to/device --peer-minutes 10
                                                      [--fxkit-minutes 5] [--threads 1] [--json FILE]

The folder holds {train,val,test}/{input,target}/NAME.wav or .flac. The peer trains by its own means (see
peer_training.py), fxkit by the shipped experiment for that network, at the peer's size. With one thread
both train at the same time, each on a core of its own; with more, one after the other. Both keep
copies of their weights; when both have ended, each copy is scored on the test split by one formula, without
the first second. Told are both curves, the lowest ESR of the peer and when it was reached, and when fxkit
came as low first. The clocks leave out imports, the peer's validations and the scoring.

Run it in the environment that bench_training_steps.py describes; nablafx also needs lightning, natsort,
torchmetrics and what else its package imports. `--peer-python` names another interpreter for the peer.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy
import soundfile
import tomli_w
import torch
from training_log import curve, error_ratio, recordings

import fxkit
from fxkit.api import override_lines
from fxkit.experiment.shipped import shipped_experiments

SIDES = ("peer", "fxkit")
HERE = pathlib.Path(__file__).parent
# Case -> the experiment that ships, and what makes its network as large as the peer's.
CASES: dict[str, tuple[str, dict[str, object]]] = {
    "nablafx-lstm32": ("amp-lstm", {"nodes.amp.hidden": 32}),
    "nablafx-tcn45": ("amp-tcn", {"nodes.amp.preset": "45-s"}),
    "nablafx-s4": ("amp-s4", {"nodes.amp.preset": "s"}),
    "nam-standard": ("amp-wavenet", {"nodes.amp.preset": "standard"}),
    "nam-feather": ("amp-wavenet", {"nodes.amp.preset": "feather"}),
    "nam-lstm": ("amp-lstm", {"nodes.amp.hidden": 24}),
}
# Callbacks of the shipped experiments that draw, play and save: what training does not need.
SHOWN = ("tensorboard", "listen", "parameters", "checkpoint")


def copied(device: pathlib.Path, folder: pathlib.Path) -> None:
    """Write every recording of a device as 16-bit WAV, which the peers read."""
    for path in sorted(device.glob("*/*/*")):
        if path.suffix.lower() in (".wav", ".flac"):
            audio, rate = soundfile.read(path, dtype="float32")
            target = folder / path.relative_to(device).with_suffix(".wav")
            target.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(target, audio, rate, subtype="PCM_16")


def train_ours(options: argparse.Namespace, folder: pathlib.Path) -> dict:
    """Train the shipped experiment without what only shows, and score its copies of the weights."""
    name, settings = CASES[options.case]
    kept, file = folder / "fxkit.pt", folder / "fxkit.toml"
    shown = [f"callbacks.{one}" for one in SHOWN]
    content = {
        "fxkit": 1,
        "extends": [str(shipped_experiments()[name])],
        "remove": [*shown, "train.steps"],
        "plugins": {"local": {"callbacks:keep-weights": f"{HERE / 'training_log.py'}:KeepWeights"}},
        "callbacks": {"kept": {"type": "keep-weights", "path": str(kept), "every": options.every}},
    }
    file.write_text(tomli_w.dumps(content))
    lines = override_lines(settings)
    lines += (f"data.root={json.dumps(str(folder))}", f'train.until="{60 * options.fxkit_minutes:g} s"')
    lines += ("train.validate_every=100000000", 'train.keep="last"', *options.settings)
    result = fxkit.run(file, lines, out=folder / "fxkit-run", device="cpu", allow_local=True)
    trained = fxkit.load(result.run, device="cpu", allow_local=True)

    def run(audio: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(numpy.asarray(trained(audio[0])))[None]

    rows = curve(
        torch.load(kept),
        trained.model,
        lambda: error_ratio(run, recordings(folder, "test"), trained.sample_rate),
    )
    return {"weights": sum(one.numel() for one in trained.model.parameters()), "curve": rows}


def train_theirs(options: argparse.Namespace, folder: pathlib.Path) -> dict:
    """Train the peer and score its copies of the weights."""
    from peer_training import RATE, train_peer

    log, network, run = train_peer(options.case, folder, options.peer_minutes, options.every, options.seed)
    rows = curve(log.kept, network, lambda: error_ratio(run, recordings(folder, "test"), RATE))
    return {"weights": sum(one.numel() for one in network.parameters()), "curve": rows}


def start(side: str, folder: pathlib.Path, options: argparse.Namespace, core: int | None) -> subprocess.Popen:
    """Start one side in a process of its own, on one core if one is named."""
    python = options.peer_python if side == "peer" else sys.executable
    out = str(folder / f"{side}.json")
    command = [python, __file__, options.case, str(folder), "--side", side, "--out", out]
    for name in ("peer_minutes", "fxkit_minutes", "every", "threads", "seed"):
        command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    for line in options.settings:
        command += ["--set", line]
    threads = str(options.threads)
    return subprocess.Popen(
        command if core is None else ["taskset", "-c", str(core), *command],
        env={**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
        stdout=(folder / f"{side}.log").open("w"),
        stderr=subprocess.STDOUT,
    )


def finish(side: str, process: subprocess.Popen, folder: pathlib.Path) -> dict:
    """Wait for one side and return its figures; exits with the end of its log when it failed."""
    if process.wait():
        sys.exit(f"{side} failed:\n" + (folder / f"{side}.log").read_text()[-3000:])
    return json.loads((folder / f"{side}.json").read_text())


def measured(options: argparse.Namespace) -> dict:
    """Train both sides and compare their curves."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        copied(options.device, folder)
        if options.threads == 1:
            cores = sorted(os.sched_getaffinity(0))
            if len(cores) < 2:
                sys.exit("one thread each needs two cores; use --threads 2 to train one after the other")
            runs = {
                side: start(side, folder, options, core) for side, core in zip(SIDES, cores, strict=False)
            }
            found = {side: finish(side, run, folder) for side, run in runs.items()}
        else:
            found = {side: finish(side, start(side, folder, options, None), folder) for side in SIDES}
    about = {"case": options.case, "device": options.device.name, "threads": options.threads}
    return {**about, **compared(found), **found}


def compared(found: dict) -> dict:
    """Return when the peer reached its lowest error and when fxkit came as low."""
    best = min(found["peer"]["curve"], key=lambda row: row["esr"])
    reached = [row for row in found["fxkit"]["curve"] if row["esr"] <= best["esr"]]
    seconds = reached[0]["seconds"] if reached else None
    return {
        "peer_best_esr": best["esr"],
        "peer_seconds": best["seconds"],
        "fxkit_best_esr": min(row["esr"] for row in found["fxkit"]["curve"]),
        "fxkit_seconds": seconds,
        "peer_over_fxkit": best["seconds"] / seconds if seconds else None,
    }


def main() -> None:
    """Measure one case and print it; or train one side of it, in a process that this command started."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("case", choices=list(CASES))
    parser.add_argument("device", type=pathlib.Path, help="folder of one device's recordings")
    parser.add_argument("--peer-minutes", type=float, default=10.0, help="how long the peer trains")
    parser.add_argument("--fxkit-minutes", type=float, help="how long fxkit trains; half of that by default")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between copies of the weights")
    parser.add_argument("--threads", type=int, default=1, help="threads of each; 1: both at the same time")
    parser.add_argument("--seed", type=int, default=42, help="seed of the peer")
    parser.add_argument(
        "--set", dest="settings", action="append", default=[], help="change fxkit's experiment"
    )
    parser.add_argument("--peer-python", default=sys.executable, help="interpreter that has the peer")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures and both curves there")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fxkit_minutes is None:
        options.fxkit_minutes = options.peer_minutes / 2
    torch.set_num_threads(options.threads)
    if options.side:
        train = train_theirs if options.side == "peer" else train_ours
        options.out.write_text(json.dumps(train(options, options.device)) + "\n")
        return
    found = measured(options)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps({name: value for name, value in found.items() if name not in ("peer", "fxkit")}))


if __name__ == "__main__":
    main()

"""Time whole training steps of fxkit's networks against nablafx's and NAM's of the same size.

    python tests/performance/bench_training_steps.py [--only tcn-45-s,s4-l] [--batch 4] [--samples 65536]
                                                     [--rounds 3] [--wall-threads 2] [--bare] [--json FILE]

A step is the network, 0.5 L1 and 0.5 multi-resolution STFT (auraloss's for the peers), backward, Adam, in
float32 on the same noise; with --bare it is the network and backward alone. The candidates of a case take
turns in one process, so that a neighbour's load falls on both. Told are the median of process CPU time on one
thread, the median of wall time on two (which means nothing on a machine that is busy), and by how much one
step on one thread raised the resident memory of a fresh process that had taken a short one.
Recurrent networks learn through the whole length.

Run it in an environment of its own for the peers, in which fxkit is installed too (pip install .):

    pip install --no-deps nablafx==1.0.0 rational-activations==0.2.0
    pip install einops auraloss neural-amp-modeler==0.13.0

A case whose peer is not there is measured for fxkit alone, with the reason.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import attrs
import torch
from auraloss.freq import MultiResolutionSTFTLoss
from model_peers import PAIRS, Pair, ours, threads, weights
from torch import Tensor, nn

from fxkit.context import BuildContext
from fxkit.values import Batch, Output
from fxkit_losses.multi_resolution_stft import MultiResolutionSTFT

SHORT = 4096


@attrs.frozen
class Candidate:
    """Hold a network, how to run it and how to tell how far its output is from the target."""

    network: nn.Module
    run: Callable[[Tensor], Tensor]
    distance: Callable[[Tensor, Tensor], Tensor]
    optimizer: torch.optim.Optimizer

    def step(self, audio: Tensor, target: Tensor) -> None:
        """Take one training step."""
        output = self.run(audio)
        loss = 0.5 * (output - target).abs().mean() + 0.5 * self.distance(output, target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()

    def pass_both_ways(self, audio: Tensor) -> None:
        """Run the network forward and backward."""
        self.optimizer.zero_grad()
        self.run(audio).square().mean().backward()


def candidate(network: nn.Module, run: Callable, distance: Callable) -> Candidate:
    """Return a network with Adam over its weights."""
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    return Candidate(network, run, distance, torch.optim.Adam(trained, lr=1e-4))


def peer_candidate(pair: Pair) -> Candidate:
    """Build the peer's network, with auraloss."""
    network = pair.make()

    def run(audio: Tensor) -> Tensor:
        # Nablafx's recurrent networks go on from the batch before, with its graph.
        if hasattr(network, "reset_state"):
            network.reset_state()
        return network(audio)

    return candidate(network, run, MultiResolutionSTFTLoss())


def our_candidate(pair: Pair) -> Candidate:
    """Build fxkit's network, with its own loss."""
    network, loss = ours(pair), MultiResolutionSTFT().build(BuildContext())

    def distance(output: Tensor, target: Tensor) -> Tensor:
        return loss(Output(audio=output), Batch(target=target)).mean()

    return candidate(network, lambda audio: network(audio, {})[0], distance)


def memory(step: Callable[[int], None], samples: int) -> float | None:
    """Return the MiB by which one step raises the resident memory of a process of its own."""
    if not pathlib.Path("/proc/self/clear_refs").exists():
        return None
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        with os.fdopen(reader) as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        return float(told) if told else None
    try:
        step(SHORT)
        before = resident("VmRSS")
        pathlib.Path("/proc/self/clear_refs").write_text("5")
        step(samples)
        os.write(writer, str((resident("VmHWM") - before) / 1024).encode())
    finally:
        os._exit(0)


def resident(field: str) -> int:
    """Return a field of this process's memory in KiB."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+)", status)[1])


def times(steps: dict[str, Callable[[], None]], rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """Return each candidate's median seconds per step over rounds in which they take turns."""
    spans: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            start = clock()
            step()
            spans[name].append(clock() - start)
    return {name: statistics.median(values[1:]) for name, values in spans.items()}


def measured(name: str, batch: int, samples: int, rounds: int, wall_threads: int, bare: bool) -> dict:
    """Measure one case; candidates that cannot be built are left out, with the reason."""
    pair, found, reasons = PAIRS[name], {}, {}
    for who, make in (("fxkit", our_candidate), (pair.peer, peer_candidate)):
        try:
            torch.manual_seed(0)
            found[who] = make(pair)
        except (ImportError, LookupError) as error:
            reasons[who] = str(error)
    draw = torch.Generator().manual_seed(0)
    audio, target = (0.1 * torch.randn(batch, 1, samples, generator=draw) for _ in range(2))

    def stepping(one: Candidate) -> Callable[[int], None]:
        if bare:
            return lambda length: one.pass_both_ways(audio[..., :length])
        return lambda length: one.step(audio[..., :length], target[..., :length])

    # One thread until every process that is forked for its memory has ended: others would be lost there.
    threads(1)
    peaks = {who: memory(stepping(one), samples) for who, one in found.items()}
    steps = {who: partial(stepping(one), samples) for who, one in found.items()}
    single = times(steps, rounds, time.process_time)
    threads(max(1, wall_threads))
    together = times(steps, rounds, time.perf_counter) if wall_threads else {}
    threads(1)
    rows = {
        who: {
            "weights": weights(one.network),
            "cpu_ms_1_thread": 1e3 * single[who],
            "wall_ms": 1e3 * together[who] if together else None,
            "peak_mib": peaks[who],
            "samples_per_second": batch * samples / single[who],
        }
        for who, one in found.items()
    }
    return {
        "case": name,
        "peer": pair.peer,
        "batch": batch,
        "samples": samples,
        "wall_threads": wall_threads,
        "bare": bare,
        **rows,
        "left_out": reasons,
    }


def ratio(row: dict, field: str) -> float | None:
    """Return the peer's figure over fxkit's, where both are there."""
    own, other = row.get("fxkit", {}).get(field), row.get(row["peer"], {}).get(field)
    return other / own if own and other else None


def line(row: dict) -> str:
    """Write one case as a line of the table."""
    cells = [f"{row['case']:14}", f"{row['peer']:8}"]
    for field in ("cpu_ms_1_thread", "wall_ms", "peak_mib"):
        for who in ("fxkit", row["peer"]):
            value = row.get(who, {}).get(field)
            cells.append("       -" if value is None else f"{value:8.0f}")
        times_less = ratio(row, field)
        cells.append("     -" if times_less is None else f"{times_less:5.1f}x")
    return " ".join(cells) + "".join(f"\n    {who}: {why}" for who, why in row["left_out"].items())


HEAD = f"{'case':14} {'peer':8}" + "".join(
    f" {'fxkit':>8} {'peer':>8} {what:>6}" for what in ("CPU ms", "wall", "MiB")
)


def main() -> None:
    """Print the table, case by case, and write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", help=f"cases, by commas: {', '.join(PAIRS)}")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--samples", type=int, default=65536, help="length of each item")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--wall-threads", type=int, default=2, help="threads to take wall time with; 0 leaves it out"
    )
    parser.add_argument("--bare", action="store_true", help="neither losses nor Adam")
    parser.add_argument("--json", type=pathlib.Path, help="write the figures there too")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else list(PAIRS)
    unknown = [name for name in names if name not in PAIRS]
    if unknown:
        parser.error(f"no case {', '.join(unknown)}; there are {', '.join(PAIRS)}")
    rows = []
    print(HEAD)
    for name in names:
        row = measured(
            name, options.batch, options.samples, options.rounds, options.wall_threads, options.bare
        )
        rows.append(row)
        print(line(rows[-1]), flush=True)
        if options.json:
            options.json.write_text(json.dumps({"torch": torch.__version__, "rows": rows}, indent=1) + "\n")
    if not any("fxkit" in row for row in rows):
        sys.exit("nothing was measured")


if __name__ == "__main__":
    main()

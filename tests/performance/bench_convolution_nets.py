"""TCN and GCN beside NablAFx: forward and backward, peak memory, and streams of short blocks.

    python tests/performance/bench_convolution_nets.py [--samples 65536] [--batch 4] [--rounds 5]

Needs nablafx 1.0 beside fxkit. One thread, float32, published sizes. Rounds alternate between the two, so
that a neighbour's load falls on both; times are medians of process CPU time. Peak memory is what a process
of its own grows by in one forward and backward (Linux). NablAFx keeps no state: its figure for a block is
that of a call on the block, padded by its receptive field, as it measures real time itself. "x real time"
is for 48 kHz.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
import types
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fxkit.context import BuildContext
from fxkit_neural.gcn import GCN
from fxkit_neural.tcn import TCN

RATE = 48000
OURS: Mapping[str, Any] = {"tcn": TCN, "gcn": GCN}
Action = Callable[[], object]


def our_model(name: str, preset: str) -> Any:
    """Build a network of fxkit."""
    spec = OURS[name](**OURS[name].presets()[preset])
    module = spec.build(BuildContext())
    return module, lambda audio: module(audio, {})[0]


def peer_model(name: str, preset: str) -> Any:
    """Build the same of NablAFx."""
    # Its evaluation part fetches files from the network when it is imported, and is not needed here.
    distance: Any = types.ModuleType("frechet_audio_distance")
    distance.FrechetAudioDistance = None
    sys.modules.setdefault("frechet_audio_distance", distance)
    try:
        from nablafx.processors.gcn import GCN as PeerGCN
        from nablafx.processors.tcn import TCN as PeerTCN
    except ImportError as error:
        raise SystemExit(f"bench_convolution_nets: {error}; install nablafx 1.0 beside fxkit") from error
    sizes = OURS[name].presets()[preset]
    module = {"tcn": PeerTCN, "gcn": PeerGCN}[name](
        num_blocks=sizes["blocks"],
        kernel_size=sizes["kernel"],
        dilation_growth=sizes["growth"],
        channel_width=16,
        stack_size=sizes["blocks"],
        bias=True,
        causal=True,
        residual=True,
    )
    return module, module


MAKERS = {"fxkit": our_model, "nablafx": peer_model}


def step(module: Any, call: Callable[[Any], Any], audio: torch.Tensor) -> None:
    """Run forward and backward."""
    call(audio).square().mean().backward()
    module.zero_grad(set_to_none=True)


def medians(actions: Mapping[str, Action], rounds: int, times: int = 1) -> dict[str, float]:
    """Return the median process time of each action in milliseconds."""
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for action in actions.values():
        action()
    for _ in range(rounds):
        for name, action in actions.items():
            start = time.process_time()
            for _ in range(times):
                action()
            taken[name].append((time.process_time() - start) / times * 1e3)
    return {name: statistics.median(values) for name, values in taken.items()}


def peak(way: str, name: str, preset: str, batch: int, samples: int) -> float:
    """Return in MB what a process of its own grows by."""
    command = [sys.executable, __file__, "--alone", way, name, preset]
    command += ["--batch", str(batch), "--samples", str(samples)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def grow(way: str, name: str, preset: str, batch: int, samples: int) -> None:
    """Print by how many MB this process grows in one forward and backward, after a short one."""
    module, call = MAKERS[way](name, preset)
    step(module, call, torch.randn(1, 1, 64))
    # The high-water mark of the imports would hide what follows: Linux forgets it when told so.
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    step(module, call, torch.randn(batch, 1, samples))
    print(resident("VmHWM") - before)


def resident(kind: str) -> float:
    """Return the memory in use ("VmRSS") or its highest mark ("VmHWM"), in MB."""
    status = Path("/proc/self/status").read_text()
    return float(status.split(f"{kind}:")[1].split()[0]) / 1024


def training(name: str, preset: str, batch: int, samples: int, rounds: int) -> None:
    """Print forward and backward of one size."""
    audio = torch.randn(batch, 1, samples)
    actions = {way: partial(step, *make(name, preset), audio) for way, make in MAKERS.items()}
    found = medians(actions, rounds)
    memory = {way: peak(way, name, preset, batch, samples) for way in MAKERS}
    cells = [f"{way} {found[way]:.0f} ms, {memory[way]:.0f} MB" for way in MAKERS]
    faster, smaller = found["nablafx"] / found["fxkit"], memory["fxkit"] / memory["nablafx"]
    print(f"  {name} {preset:7s}", "   ".join(cells), f"  {faster:.1f} x faster, {smaller:.2f} x memory")


@torch.inference_mode()
def streaming(name: str, preset: str, block: int, rounds: int) -> None:
    """Print one block of a stream."""
    audio = torch.randn(1, 1, block)
    module, _ = our_model(name, preset)
    states = [module(audio, {})[1]]

    def ours() -> None:
        states[0] = module(audio, {}, states[0])[1]

    _, call = peer_model(name, preset)
    found = medians({"fxkit": ours, "nablafx": partial(call, audio)}, rounds, 20)
    length = block / RATE * 1e3
    cells = [f"{way} {ms:.3f} ms ({length / ms:.2f} x real time)" for way, ms in found.items()]
    print(f"  {name} {preset:7s} block {block:4d}", "   ".join(cells))


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--samples", type=int, default=65536)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--presets", nargs="+", default=["45-s", "2500-l"])
    parser.add_argument("--alone", nargs=3, metavar=("WAY", "NET", "PRESET"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if options.alone:
        grow(*options.alone, options.batch, options.samples)
        return
    print(f"forward + backward, {options.batch} x {options.samples} samples")
    for name in OURS:
        for preset in options.presets:
            training(name, preset, options.batch, options.samples, options.rounds)
    print("one block of a stream, batch 1")
    for name in OURS:
        for preset in options.presets:
            for block in (64, 128, 512):
                streaming(name, preset, block, options.rounds)


if __name__ == "__main__":
    main()

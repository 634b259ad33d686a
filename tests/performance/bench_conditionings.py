"""Print what each conditioning costs on TCN-45-S, as a table for docs/howto/conditioning.md.

    python tests/performance/bench_conditionings.py [--rounds 7] [--samples 65536]

One thread. A training step is forward and backward of four items of float32 noise with a standing condition;
all take turns in one process, and the ratio is that of their median CPU times to the plain network's.
Streams are blocks of 128 samples in inference mode, in the same way.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from fxkit.context import BuildContext
from fxkit_neural.concat import Concat
from fxkit_neural.film import FiLM
from fxkit_neural.tcn import TCN
from fxkit_neural.tfilm import TFiLM
from fxkit_neural.ttfilm import TTFiLM
from fxkit_neural.tvconcat import TVConcat
from fxkit_neural.tvfilm import TVFiLM

BLOCK, BLOCKS = 128, 150
KNOBS = 2
CTX = BuildContext()
METHODS: Mapping[str, Any] = {
    "none": None,
    "concat": Concat(size=KNOBS),
    "tvconcat": TVConcat(size=KNOBS),
    "film": FiLM(size=KNOBS),
    "tfilm": TFiLM(size=KNOBS),
    "tfilm, published": TFiLM(size=KNOBS, **TFiLM.presets()["published"]),
    "ttfilm": TTFiLM(size=KNOBS),
    "tvfilm": TVFiLM(size=KNOBS),
}
Action = Callable[[], object]


def network(conditioning: Any) -> TCN:
    """Return the spec of a TCN-45-S with a conditioning."""
    return TCN(**TCN.presets()["45-s"], conditioning=conditioning)


def params_of(batch: int, conditioning: Any) -> dict[str, torch.Tensor]:
    return {"condition": torch.rand(batch, KNOBS, 1)} if conditioning else {}


def training(conditioning: Any, samples: int) -> Action:
    """Return one pass there and back."""
    module, audio = network(conditioning).build(CTX), torch.randn(4, 1, samples)
    params = params_of(4, conditioning)

    def step() -> None:
        module.zero_grad()
        module(audio, params)[0].square().mean().backward()

    return step


def streaming(conditioning: Any) -> Action:
    """Return a stream of blocks."""
    module, audio = network(conditioning).build(CTX).eval(), torch.randn(1, 1, BLOCK)
    params = params_of(1, conditioning)

    def play() -> None:
        state = None
        with torch.inference_mode():
            for _ in range(BLOCKS):
                _, state = module(audio, params, state)

    return play


def medians(actions: Mapping[str, Action], rounds: int) -> dict[str, float]:
    """Return the median CPU time of each action; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for action in actions.values():
        action()
    for _ in range(rounds):
        for name, action in actions.items():
            began = time.process_time()
            action()
            times[name].append(time.process_time() - began)
    return {name: statistics.median(found) for name, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--samples", type=int, default=65536)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    steps = medians({n: training(one, options.samples) for n, one in METHODS.items()}, options.rounds)
    streams = medians({n: streaming(one) for n, one in METHODS.items()}, options.rounds)
    print("| `type` | weights | MACs per sample | late by | training step | stream |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, conditioning in METHODS.items():
        spec = network(conditioning)
        traits, weights = spec.traits(CTX), spec.build(CTX).parameters()
        count = sum(weight.numel() for weight in weights)
        print(
            f"| {name} | {count:,} | {traits.macs:,.0f} | {traits.latency}"
            f" | x {steps[name] / steps['none']:.1f} | x {streams[name] / streams['none']:.1f} |"
        )


if __name__ == "__main__":
    main()

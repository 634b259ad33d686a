"""Time convolution, rate changes and networks of delay lines, offline and in blocks of 64.

    python tests/performance/bench_convolution.py [--rounds 5]

One thread, float32. Rounds alternate between the ways of a table, so that a neighbour's load falls on all;
figures are the median of process CPU time. "x real time" is for 48 kHz.

- `convolve`: fxkit_signal.convolution.convolve, with state.
- `fftconvolve`: torchaudio.functional.fftconvolve of the whole, or of past and block.
- `conv1d`: torch.nn.functional.conv1d of the same; left out where it would take minutes.
- `oaconvolve`, `resample_poly`: scipy.signal in float32, forward only.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial

import torch
from scipy import signal as scipy_signal
from torch import Tensor
from torchaudio.functional import fftconvolve

from fxkit.context import BuildContext
from fxkit_dsp.fdn_reverb import FDNReverb
from fxkit_dsp.gain import Gain
from fxkit_dsp.oversample import Oversample
from fxkit_dsp.resample import Resample
from fxkit_signal.convolution import convolve

RATE, BLOCK = 48000, 64
Action = Callable[[], object]


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


def conv1d(joined: Tensor, taps: Tensor) -> Tensor:
    """Filter [batch, 1, past + samples] by [1, 1, past + 1]."""
    return torch.nn.functional.conv1d(joined, taps.flip(-1))


def trained(call: Callable[[Tensor, Tensor], Tensor], audio: Tensor, taps: Tensor) -> Action:
    """Return a call forward and backward."""
    audio, taps = audio.clone().requires_grad_(), taps.clone().requires_grad_()
    return lambda: torch.autograd.grad(call(audio, taps).square().sum(), (audio, taps))


def offline(rounds: int) -> None:
    """Print the whole of 8 x 65536 samples, forward and backward."""
    print("8 x 65536 samples, forward + backward in ms (oaconvolve: forward alone)")
    for length in (64, 1024, 24000):
        audio, taps = torch.randn(8, 1, 65536), torch.randn(1, 1, length) / length**0.5
        actions = {
            "convolve": trained(lambda x, h: convolve(x, h)[0], audio, taps),
            "fftconvolve": trained(fftconvolve, audio, taps),
            "oaconvolve": partial(scipy_signal.oaconvolve, audio.numpy(), taps.numpy(), axes=-1),
        }
        if length == 64:
            padded = torch.nn.functional.pad(audio, (length - 1, 0))
            actions["conv1d"] = trained(conv1d, padded, taps)
        _line(f"{length} taps", medians(actions, rounds))


@torch.inference_mode()
def streaming(rounds: int) -> None:
    """Print one block of 64 samples."""
    print(f"block of {BLOCK} samples, one channel, in ms (x real time)")
    for length in (64, 1024, 24000, 48000):
        audio, taps = torch.randn(1, 1, BLOCK), torch.randn(1, 1, length)
        state = torch.randn(1, 1, length - 1)
        actions = {
            "convolve": lambda x=audio, h=taps, s=state: convolve(x, h, s),
            "fftconvolve": lambda x=audio, h=taps, s=state: fftconvolve(torch.cat([s, x], -1), h),
            "conv1d": lambda x=audio, h=taps, s=state: conv1d(torch.cat([s, x], -1), h),
        }
        _line(f"{length} taps", medians(actions, rounds, 50), real_time=True)
    ctx = BuildContext()
    specs = {f"oversample {n}": Oversample(processor=Gain(), factor=n) for n in (2, 4, 8)}
    specs |= {"resample 44100": Resample(processor=Gain(), rate=44100), "fdn-reverb": FDNReverb()}
    actions = {}
    for name, spec in specs.items():
        module = spec.build(ctx)
        params = {p.name: torch.tensor(p.defaults)[None, :, None] for p in spec.parameters(ctx)}
        audio = torch.randn(1, 1, BLOCK)
        actions[name] = partial(module, audio, params, module(audio, params)[1])
    _line("processors", medians(actions, rounds, 100), real_time=True)


def rates(rounds: int) -> None:
    """Print a second of audio up to four times the rate and down again."""
    print("48000 samples up to 4 x the rate and down, forward, in ms")
    audio = torch.randn(1, 1, RATE)
    spec = Oversample(processor=Gain())
    module = spec.build(BuildContext())
    params = {"gain_db": torch.zeros(1, 1, 1)}
    taps = module.matrix_down.new_tensor(scipy_signal.firwin(331, 0.23)).numpy()

    def poly() -> object:
        raised = scipy_signal.resample_poly(audio.numpy(), 4, 1, axis=-1, window=taps)
        return scipy_signal.resample_poly(raised, 1, 4, axis=-1, window=taps)

    with torch.inference_mode():
        _line("4 x", medians({"oversample": lambda: module(audio, params), "resample_poly": poly}, rounds))


def _line(name: str, found: Mapping[str, float], *, real_time: bool = False) -> None:
    block = BLOCK / RATE * 1e3
    cells = [f"{way} {ms:.3f}" + (f" ({block / ms:.1f}x)" if real_time else "") for way, ms in found.items()]
    print(f"  {name:12s}", "   ".join(cells))


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    torch.manual_seed(0)
    offline(rounds)
    rates(rounds)
    streaming(rounds)


if __name__ == "__main__":
    main()

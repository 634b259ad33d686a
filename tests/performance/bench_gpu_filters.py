"""Time the time-varying biquad on a CUDA device against a copy of the same bytes and against torchlpc.

    python tests/performance/bench_gpu_filters.py [--rounds 30]

Per-sample coefficients, forward and backward, in float64 and float32. `copy` moves as many bytes as the
filter must at least read and write once: coefficients and audio in, audio out; then coefficients, both
audios and a gradient in, gradients of audio and coefficients out. `torchlpc` computes the recursive half
only (all-pole, order 2), forward and backward; it is left out where it is not installed. Errors are
those of the float32-audio output against a float64 recursion on the CPU.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
from collections.abc import Callable

import torch
from torch import Tensor

from fxkit_signal.biquad import peak
from fxkit_signal.gpu.cascade import run_cascade

RATE = 48000
SIZES = ((8, 48000), (16, 144000), (32, 65536))


def sweep(batch: int, samples: int, dtype: torch.dtype) -> Tensor:
    """Return peaks whose frequency wanders, [batch, samples, 1, 6] on the device."""
    time = torch.arange(samples, dtype=torch.float64, device="cuda") / RATE
    rate = torch.linspace(0.5, 4.0, batch, dtype=torch.float64, device="cuda")[:, None]
    frequency = 300.0 * 16 ** torch.sin(2 * torch.pi * rate * time)
    gain, q = torch.tensor(9.0, device="cuda"), torch.tensor(4.0, device="cuda")
    return peak(frequency, gain, q, RATE)[:, :, None].to(dtype).contiguous()


def timed(run: Callable[[], object], rounds: int) -> float:
    """Return the median milliseconds of `run` by device events, after a warm-up."""
    for _ in range(5):
        run()
    spans = []
    for _ in range(rounds):
        start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        stop.record()
        torch.cuda.synchronize()
        spans.append(start.elapsed_time(stop))
    return statistics.median(spans)


def replayed(run: Callable[[], object]) -> Callable[[], object]:
    """Capture `run` in a CUDA graph: what the kernels cost without the time of launching them."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            run()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        run()
    return graph.replay


def copier(batch: int, samples: int, width: int) -> Callable[[], object]:
    """Return a copy of as many bytes as forward and backward move; `width` bytes per coefficient."""
    moved = batch * samples * ((5 * width + 8) + (10 * width + 16))
    source = torch.randn(moved // 8, device="cuda")
    target = torch.empty_like(source)
    return lambda: target.copy_(source)


def ours(audio: Tensor, sos: Tensor, weight: Tensor) -> Callable[[], object]:
    """Return forward and backward of one section."""
    state = torch.zeros(audio.shape[0], 1, 1, 2, dtype=torch.float64, device="cuda")

    def run() -> object:
        y, _ = run_cascade(audio, sos, state, 1, 0)
        return torch.autograd.grad(y, (audio, sos), weight)

    return run


def all_pole(audio: Tensor, sos: Tensor, weight: Tensor) -> Callable[[], object] | None:
    """Return forward and backward of torchlpc, or None where it is not installed."""
    try:
        torchlpc = importlib.import_module("torchlpc")
    except ImportError:
        return None
    a = sos[:, :, 0, 4:].detach().to(audio.dtype).contiguous().requires_grad_()
    row = audio[:, 0].detach().clone().requires_grad_()
    return lambda: torch.autograd.grad(torchlpc.sample_wise_lpc(row, a), (row, a), weight[:, 0])


def error(batch: int, samples: int) -> float:
    """Return the relative error of the output against a recursion over samples on the CPU."""
    sos = sweep(batch, samples, torch.float64)
    audio = torch.randn(batch, 1, samples, device="cuda")
    state = torch.zeros(batch, 1, 1, 2, dtype=torch.float64, device="cuda")
    found = run_cascade(audio, sos, state, 1, 0)[0].cpu().double()
    b0, b1, b2, _, a1, a2 = sos[:, :, 0].cpu().unbind(-1)
    x, s1, s2, out = audio[:, 0].cpu().double(), torch.zeros(batch), torch.zeros(batch), []
    for n in range(samples):
        y = b0[:, n] * x[:, n] + s1
        s1, s2 = b1[:, n] * x[:, n] - a1[:, n] * y + s2, b2[:, n] * x[:, n] - a2[:, n] * y
        out.append(y)
    expected = torch.stack(out, -1)[:, None]
    return float((found - expected).norm() / expected.norm())


def main() -> None:
    """Print one line per size and type of coefficient."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    print(f"{torch.cuda.get_device_name()}; error of the output {error(4, 4800):.1e}")
    print(
        "batch x samples  coefficients    copy ms    ours ms  (graph)"
        "  ours/copy (graph)  torchlpc ms  torchlpc/ours"
    )
    for batch, samples in SIZES:
        for dtype in (torch.float64, torch.float32):
            sos = sweep(batch, samples, dtype).requires_grad_()
            audio = torch.randn(batch, 1, samples, device="cuda", requires_grad=True)
            weight = torch.randn(batch, 1, samples, device="cuda")
            copy = timed(copier(batch, samples, dtype.itemsize), rounds)
            run, other = ours(audio, sos, weight), all_pole(audio, sos, weight)
            eager, graph = timed(run, rounds), timed(replayed(run), rounds)
            peer = timed(other, rounds) if other else float("nan")
            print(
                f"{batch:5d} x {samples:<7d}  {str(dtype)[6:]:>12} {copy:10.3f} {eager:10.3f} {graph:8.3f}"
                f" {eager / copy:10.1f} {graph / copy:7.1f} {peer:12.3f} {peer / eager:14.1f}"
            )


if __name__ == "__main__":
    main()

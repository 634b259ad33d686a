import subprocess
import sys

import numpy as np
import pytest
import torch

from fxkit_signal import biquad, dispatch
from fxkit_signal.all_pole import all_pole
from fxkit_signal.biquad import sosfilt, sosfilt_varying
from fxkit_signal.one_pole import one_pole
from fxkit_signal.svf import svf

SAMPLES = 50


def random(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).uniform(0.1, 0.9, shape))


def sections(*shape):
    return biquad.peak(8000 * random(*shape), 12 * random(*shape, seed=1), 3 * random(*shape, seed=2), 48000)


FILTERS = {
    "static": (lambda x, s: sosfilt(x, s)[0], [sections(2, 3)]),
    "moving by frame": (lambda x, s: sosfilt_varying(x, s, hop=25)[0], [sections(2, 3, 2)]),
    "moving by sample": (lambda x, s: sosfilt_varying(x, s)[0], [sections(1, SAMPLES, 2)]),
    "one pole": (lambda x, a: one_pole(x, a)[0], [random(2, 1, 1)]),
    "one pole, moving": (lambda x, a: one_pole(x, a)[0], [random(2, 2, SAMPLES)]),
    "all pole": (lambda x, a: all_pole(x, 0.2 * a)[0], [random(2, 1, 3)]),
    "all pole, moving": (lambda x, a: all_pole(x, 0.2 * a)[0], [random(2, SAMPLES, 3)]),
    "state variable": (lambda x, g, r: torch.stack(svf(x, g, r)[0]), [random(2, 1, 1), random(2, 1, 1)]),
}


def run(filtering, audio, controls):
    inputs = [audio.clone().requires_grad_(), *(control.clone().requires_grad_() for control in controls)]
    y = filtering(*inputs)
    weight = torch.randn(y.shape, dtype=y.dtype, generator=torch.Generator().manual_seed(0))
    return [y.detach(), *torch.autograd.grad(y, inputs, weight)]


def ignoring_a0(values, name):
    return values if "pole" in name or "state" in name else values[..., [0, 1, 2, 4, 5]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", FILTERS)
def test_compiled_and_torch_paths_give_the_same_values_and_gradients(name, dtype, monkeypatch):
    filtering, controls = FILTERS[name]
    audio = torch.randn(2, 2, SAMPLES, dtype=dtype, generator=torch.Generator().manual_seed(1))
    fast = run(filtering, audio, controls)
    monkeypatch.setattr(dispatch, "has_compiler", lambda: False)
    slow = run(filtering, audio, controls)
    for index, (a, b) in enumerate(zip(fast, slow, strict=True)):
        a, b = (a, b) if index < 2 else (ignoring_a0(a, name), ignoring_a0(b, name))
        assert a.dtype == b.dtype
        assert (a - b).norm() < 1e-6 * b.norm()


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("static", torch.float32),
        ("static", torch.float64),
        ("moving by frame", torch.float32),
        ("one pole", torch.float64),
        ("all pole, moving", torch.float32),
        ("state variable", torch.float64),
    ],
)
def test_a_traced_graph_gives_the_same_values_and_gradients(name, dtype):
    filtering, controls = FILTERS[name]
    audio = torch.randn(2, 2, SAMPLES, dtype=dtype, generator=torch.Generator().manual_seed(1))
    torch._dynamo.reset()
    eager = run(filtering, audio, controls)
    traced = run(torch.compile(filtering, fullgraph=True, backend="aot_eager"), audio, controls)
    for index, (a, b) in enumerate(zip(eager, traced, strict=True)):
        a, b = (a, b) if index < 2 else (ignoring_a0(a, name), ignoring_a0(b, name))
        assert (a - b).norm() < 1e-6 * b.norm()


@pytest.mark.parametrize("name", ["static", "moving by frame", "one pole, moving", "state variable"])
def test_an_exported_program_gives_the_same_values(name):
    filtering, controls = FILTERS[name]

    class Module(torch.nn.Module):
        def forward(self, x):
            return filtering(x, *controls)

    audio = torch.randn(2, 2, SAMPLES)
    with torch.no_grad():
        program = torch.export.export(Module(), (audio,))
        assert torch.allclose(program.module()(audio), filtering(audio, *controls), atol=1e-5)


@pytest.mark.parametrize("name", FILTERS)
def test_audio_of_any_layout_gives_the_same(name):
    filtering, controls = FILTERS[name]
    audio = torch.randn(SAMPLES, 2, 2).permute(2, 1, 0)
    assert not audio.is_contiguous()
    for a, b in zip(
        run(filtering, audio, controls), run(filtering, audio.contiguous(), controls), strict=True
    ):
        assert torch.allclose(a, b)


@pytest.mark.parametrize("name", FILTERS)
def test_a_gradient_that_is_one_number_seen_many_times_counts_for_every_sample(name):
    filtering, controls = FILTERS[name]
    inputs = [torch.randn(2, 2, SAMPLES).requires_grad_(), *(c.clone().requires_grad_() for c in controls)]
    y = filtering(*inputs)
    summed = torch.autograd.grad(y.sum(), inputs, retain_graph=True)
    weighted = torch.autograd.grad(y, inputs, torch.ones_like(y))
    for a, b in zip(summed, weighted, strict=True):
        assert torch.equal(a, b)


def test_gradients_that_nobody_wants_are_not_needed_for_the_others():
    sos, audio = sections(1, 3), torch.randn(1, 1, 200)
    both = run(FILTERS["static"][0], audio, [sos])
    x = audio.clone().requires_grad_()
    weight = torch.randn(1, 1, 200, generator=torch.Generator().manual_seed(0))
    (alone,) = torch.autograd.grad(sosfilt(x, sos)[0], x, weight)
    assert torch.allclose(alone, both[1])
    coefficients = sos.clone().requires_grad_()
    (alone,) = torch.autograd.grad(sosfilt(audio, coefficients)[0], coefficients, weight)
    assert torch.allclose(alone, both[2])


@pytest.mark.parametrize(("rows", "samples"), [(1, 20011), (3, 9001), (4, 8200), (11, 300), (17, 3000)])
def test_signals_cut_into_stretches_of_time_give_what_they_give_in_short_blocks(rows, samples):
    sos = biquad.low_pass(torch.tensor([40.0, 900.0]).double(), torch.tensor([10.0, 0.7]).double(), 48000)[
        None
    ]
    sos = sos.repeat(rows, 1, 1)
    x = torch.randn(rows, 1, samples, generator=torch.Generator().manual_seed(2))
    start = torch.randn(rows, 1, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    weight = torch.randn(rows, 1, samples, generator=torch.Generator().manual_seed(4))

    def blocks(x, sos, start):
        parts = []
        for block in x.split(500, dim=-1):
            part, start = sosfilt(block, sos, start)
            parts.append(part)
        return torch.cat(parts, dim=-1), start

    results = []
    for filtering in (sosfilt, blocks):
        inputs = [tensor.clone().requires_grad_() for tensor in (x, sos, start)]
        y, end = filtering(*inputs)
        results.append([y, end, *torch.autograd.grad((y, end), inputs, (weight, torch.ones_like(end)))])
    for a, b in zip(*results, strict=True):
        assert (a - b).norm() < 2e-7 * b.norm()


def test_compiled_filters_leave_the_threads_of_torch_alone():
    code = """
import torch
from fxkit_signal import biquad, one_pole, svf
torch.set_num_threads(1)
x = torch.randn(2, 1, 9000, requires_grad=True)
sos = biquad.peak(*(torch.tensor([v]).double() for v in (1e3, 6.0, 1.0)), 48000)[None].requires_grad_()
a = torch.tensor([[[0.5]]]).double().requires_grad_()
y = biquad.sosfilt(x, sos)[0] + biquad.sosfilt_varying(x, sos.expand(3, 1, 6)[None], hop=8192)[0]
(y + one_pole.one_pole(x, a)[0] + svf.svf(x, a, a)[0][0]).sum().backward()
assert sos.grad.norm() > 0 and x.grad.norm() > 0
print(torch.get_num_threads())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "1", done.stderr


def test_importing_the_filters_does_not_load_the_compiler():
    modules = "fxkit_signal.biquad, fxkit_signal.svf, fxkit_signal.one_pole"
    code = f"import sys, {modules}; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

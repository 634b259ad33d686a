"""Memory that is lacking is recognised, measured, and answered with what to change."""

from __future__ import annotations

import attrs
import pytest
import tomli
import torch

from fxkit.engine.advice import OutOfMemory, advising
from fxkit.engine.batch_size import experiment_with, largest, with_fitting_batch
from fxkit.engine.memory import Meter, free_memory, in_words, is_lack
from fxkit.engine.phases import stages_of
from fxkit.engine.setup import prepare
from fxkit.job import run_experiment, training_segments
from fxkit.runs.progress import Silent


def scaling(kit, **rest):
    nodes = {"a": kit.node("a", kit.Scale(), kit.Learned(start=0.5))}
    return kit.make_experiment(nodes, ("a",), **rest)


def no_memory(*_, **__):
    raise RuntimeError(
        "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
    )


@pytest.mark.parametrize(
    ("error", "lack"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_lack_of_memory_is_told_from_other_errors(error, lack):
    assert is_lack(error) == lack


def test_a_real_allocation_that_fails_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60)
    assert is_lack(caught.value)


def test_a_step_without_memory_says_what_was_tried_and_what_to_change(kit, tmp_path, monkeypatch):
    experiment = scaling(kit, train={"batch_size": 6, "steps": 3})
    monkeypatch.setattr("fxkit.engine.course.Course.step", no_memory)
    with pytest.raises(OutOfMemory) as caught:
        run_experiment(experiment, progress=Silent(), out=tmp_path / "run")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("step 1: out of memory on cpu (")
    for part in (
        "train.batch_size = 6", "train.accumulate = 1", "data.segment = 64",
        "train.accumulate = 2", "train.batch_size = 3", "data.segment = 32", "train.window = 16",
        "nodes.a.recompute = true", 'train.precision = "bf16"', "--find-batch-size",
    ):  # fmt: skip
        assert part in message, part
    assert caught.value.exit_code == 4
    monkeypatch.undo()
    from fxkit.runs.folder import open_folder

    assert run_experiment(experiment, progress=Silent(), resume=open_folder(tmp_path / "run")).steps == 3


def test_advice_leaves_out_what_cannot_be_lowered(kit):
    experiment = scaling(kit, train={"batch_size": 1, "window": 32, "precision": "bf16"})
    with pytest.raises(OutOfMemory) as caught, advising("now", stages_of(experiment)[0], experiment, "cpu"):
        no_memory()
    ways = str(caught.value).split("; ", 1)[1]
    for part in ("batch_size =", "accumulate =", "window =", "precision ="):
        assert part not in ways


def test_other_errors_pass(kit):
    experiment = scaling(kit)
    with pytest.raises(ZeroDivisionError), advising("now", stages_of(experiment)[0], experiment, "cpu"):
        1 / 0  # noqa: B018


def test_the_meter_sees_what_work_takes_at_its_peak():
    meter = Meter()

    def work():
        torch.ones(100_000_000).add_(1)
        torch.ones(25_000_000)

    # What other tests left in this process's heap is handed back or taken again meanwhile: some tens of MB.
    assert meter.peak(work) == pytest.approx(400e6, rel=0.15)
    assert meter.peak(lambda: torch.ones(50_000_000)) == pytest.approx(200e6, rel=0.25)


def test_free_memory_is_some():
    assert 1e6 < free_memory() < 1e14


@pytest.mark.parametrize(("size", "words"), [(5, "5 B"), (1234, "1.23 kB"), (5e6, "5 MB"), (64e9, "64 GB")])
def test_bytes_in_words(size, words):
    assert in_words(size) == words


class Scripted:
    """Say that a batch takes 1000 bytes and 100 for each of its segments; no memory from a size on."""

    def __init__(self, lacking=10**9):
        self.sizes, self.lacking = [], lacking

    def peak(self, work):
        work()
        size = self.sizes[-1]
        if size >= self.lacking:
            no_memory()
        return 1000 + 100 * size


@pytest.fixture
def searched(kit, monkeypatch):
    """Search on a made-up meter; returns the size found and those tried."""

    def search(budget, lacking=10**9, **train):
        meter = Scripted(lacking)
        monkeypatch.setattr("fxkit.engine.batch_size.Meter", lambda device: meter)
        monkeypatch.setattr("fxkit.engine.batch_size._trial", lambda p, c, size: meter.sizes.append(size))
        prepared = prepare(scaling(kit, data=kit.Doubler(samples=64 * 40), train=train), device="cpu")
        return largest(prepared, training_segments, budget, lambda text: None), meter.sizes

    return search


def test_the_largest_power_of_two_within_the_budget_is_found(searched):
    assert searched(2600)[0] == 16
    assert searched(2599)[0] == 8
    assert searched(1100)[0] == 1


def test_sizes_that_cannot_fit_are_not_tried(searched):
    assert searched(2700)[1] == [1, 2, 4, 8, 16]


def test_an_error_of_memory_ends_the_search(searched):
    assert searched(10**9, lacking=8)[0] == 4


def test_no_batch_is_larger_than_an_epoch(searched):
    assert searched(10**9)[0] == 32


def test_batches_can_be_divided_into_the_parts_that_are_accumulated(searched):
    assert searched(2600, accumulate=3, batch_size=3)[1][:3] == [3, 6, 12]


def test_nothing_that_fits_is_an_error_with_advice(searched):
    with pytest.raises(OutOfMemory, match="looking for a batch size"):
        searched(500)


def test_the_search_leaves_weights_and_random_numbers_as_they_were(kit):
    prepared = prepare(scaling(kit, data=kit.Doubler(samples=64 * 40)), device="cpu")
    before = {name: value.clone() for name, value in prepared.model.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.randn(3)
    torch.manual_seed(5)
    found = with_fitting_batch(prepared, training_segments, lambda text: None)
    assert torch.equal(torch.randn(3), expected)
    assert found.experiment.train.batch_size == 32
    for name, value in prepared.model.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(weight.grad is None for weight in prepared.model.parameters())


def test_the_batch_size_that_was_found_is_in_the_resolved_file(kit, tmp_path):
    experiment = scaling(kit, data=kit.Doubler(samples=64 * 40))
    run_experiment(experiment, progress=Silent(), out=tmp_path / "run", find_batch_size=True)
    resolved = tomli.loads((tmp_path / "run" / "resolved.toml").read_text())
    assert resolved["train"]["batch_size"] == 32
    assert attrs.evolve(experiment_with(experiment, 32), resolved={}).train.batch_size == 32

"""What becomes of a plain callable: its options, and what its spec builds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Optional, Union

import attrs
import auraloss
import pytest
import torch

from fxkit.callable_spec import spec_class
from fxkit.context import BuildContext
from fxkit.spec import REQUIRED, describe, opt
from fxkit.values import Batch, Output


class Everything:
    """Take one of each.

    Args:
        count: How many. The rest of the text is left out.
        rate (float): How fast,
            in two lines.
        name: What it is called
    """

    def __init__(
        self,
        count: int,
        rate: float = 1,
        name: str = "x",
        on: bool = False,
        mode: Literal["a", "b"] = "a",
        sizes: list[int] = [1, 2],  # noqa: B006
        pair: tuple[float, float] = (0, 1.5),
        path: Path | None = None,
        maybe: Optional[int] = None,  # noqa: UP045
        either: Union[float, torch.Tensor] = 0.5,  # noqa: UP007
        several: Sequence[str] = (),
        unannotated=3,
        guess=(1, 2),
        nothing=None,
        infinite: float = math.inf,
        tensor: torch.Tensor | None = None,
        table: dict[str, int] | None = None,
        callback: Any = print,
        wrong: int = "text",  # type: ignore[assignment]
        *args: int,
        **kwargs: int,
    ) -> None:
        self.given = {key: value for key, value in locals().items() if key != "self"}


def test_the_signature_becomes_options() -> None:
    described = describe(spec_class(Everything, "callbacks"))
    assert described.summary == "Take one of each."
    told = [(option.name, option.type_text, option.default) for option in described.options]
    assert told == [
        ("count", "int", REQUIRED),
        ("rate", "float", 1.0),
        ("name", "text", "x"),
        ("on", "bool", False),
        ("mode", "'a' | 'b'", "a"),
        ("sizes", "list of int", (1, 2)),
        ("pair", "list of float", (0.0, 1.5)),
        ("path", "path", None),
        ("maybe", "int", None),
        ("either", "float", 0.5),
        ("several", "list of text", ()),
        ("unannotated", "int", 3),
        ("guess", "list of int", (1, 2)),
    ]


def test_help_comes_from_the_docstring_and_is_never_empty() -> None:
    described = describe(spec_class(Everything, "callbacks"))
    helps = {option.name: option.meta.help for option in described.options}
    assert helps["count"] == "How many"
    assert helps["rate"] == "How fast, in two lines"
    assert helps["name"] == "What it is called"
    assert all(helps.values())


def test_what_is_built_gets_the_options_and_its_own_defaults_otherwise() -> None:
    spec = spec_class(Everything, "callbacks")(count=2, sizes=(4, 5), pair=(1.0, 2.0))
    given = spec.build(BuildContext()).given
    assert (given["count"], given["sizes"], given["pair"]) == (2, [4, 5], (1.0, 2.0))
    assert given["infinite"] == math.inf
    assert given["callback"] is print


def test_a_spec_of_a_callable_is_frozen_and_keyword_only() -> None:
    spec = spec_class(torch.nn.L1Loss, "losses")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        spec().reduction = "sum"
    with pytest.raises(TypeError):
        spec("sum")


def test_a_spec_class_is_returned_as_it_is() -> None:
    @attrs.frozen(kw_only=True)
    class Spec:
        """A spec."""

        size: int = opt(1, help="size")

        def build(self, ctx: BuildContext) -> None:
            """Build nothing."""

    assert spec_class(Spec, "losses") is Spec


@pytest.mark.parametrize(
    ("target", "kind", "words"),
    [
        (3, "losses", "neither a spec class nor a callable"),
        (torch.nn.Tanh, "controllers", "controllers need a spec class with traits"),
        (torch.nn.Tanh, "features", "features need a spec class with dims"),
        (attrs.make_class("Lazy", []), "losses", "the spec Lazy has no build"),
        (lambda tensor: tensor, "callbacks", "requires 'tensor', which no option can express"),
        (torch.relu, "processors", "has no signature"),
    ],
)
def test_what_cannot_be_a_plugin_is_refused_with_the_reason(target: Any, kind: str, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        spec_class(target, kind)


@pytest.fixture
def signals() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(3, 1, 4000, generator=generator), torch.randn(3, 1, 4000, generator=generator)


def losses(spec: Any, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    loss = spec.build(BuildContext(sample_rate=16000))
    value: torch.Tensor = loss(Output(audio=prediction), Batch(target=target))
    return value


@pytest.mark.parametrize(
    ("target", "options"),
    [
        (torch.nn.L1Loss, {}),
        (torch.nn.L1Loss, {"reduction": "none"}),
        (auraloss.time.ESRLoss, {}),
        (auraloss.freq.STFTLoss, {"fft_size": 256, "win_length": 256, "hop_size": 64}),
        (torch.nn.functional.smooth_l1_loss, {"beta": 0.5}),
    ],
)
def test_a_loss_gives_each_item_the_value_that_it_has_alone(
    target: Any, options: dict[str, Any], signals: tuple[torch.Tensor, torch.Tensor]
) -> None:
    spec = spec_class(target, "losses")(**options)
    together = losses(spec, *signals)
    alone = [losses(spec, *(signal[i : i + 1] for signal in signals)) for i in range(3)]
    assert together.shape == (3,)
    assert torch.equal(together, torch.cat(alone))


def test_an_l1_loss_is_the_mean_magnitude_of_each_item(signals: tuple[torch.Tensor, torch.Tensor]) -> None:
    value = losses(spec_class(torch.nn.L1Loss, "losses")(), *signals)
    expected = (signals[0] - signals[1]).double().abs().mean((1, 2))
    assert torch.allclose(value.double(), expected, rtol=1e-6)


def test_the_sample_rate_is_the_runs_and_no_option() -> None:
    spec = spec_class(auraloss.freq.STFTLoss, "losses")
    assert describe(spec).option("sample_rate") is None
    assert spec().build(BuildContext(sample_rate=16000)).plain.sample_rate == 16000


def test_weights_of_a_wrapped_loss_are_its_own() -> None:
    spec = spec_class(torch.nn.CrossEntropyLoss, "losses")
    assert isinstance(spec().build(BuildContext()).plain, torch.nn.CrossEntropyLoss)


def test_a_loss_that_returns_no_tensor_is_named(signals: tuple[torch.Tensor, torch.Tensor]) -> None:
    def pair(prediction: torch.Tensor, target: torch.Tensor, both: bool = True) -> tuple[Any, ...]:
        return prediction, target

    with pytest.raises(TypeError, match="pair returned tuple; a loss returns one tensor"):
        losses(spec_class(pair, "losses")(), *signals)


def softclip(audio: torch.Tensor, drive: float = 2.0) -> torch.Tensor:
    """Bend the waveform."""
    return torch.tanh(drive * audio)


def test_a_function_of_audio_is_a_processor_without_state() -> None:
    spec = spec_class(softclip, "processors")(drive=3.0)
    assert spec.parameters(BuildContext()) == ()
    assert spec.traits(BuildContext()).latency == 0
    audio = torch.linspace(-1, 1, 7).reshape(1, 1, 7)
    result, state = spec.build(BuildContext())(audio, {})
    assert torch.equal(result, torch.tanh(3.0 * audio))
    assert state is None


def test_a_module_that_changes_the_length_is_refused_as_a_processor() -> None:
    class Half(torch.nn.Module):
        def forward(self, audio: torch.Tensor) -> torch.Tensor:
            return audio[..., ::2]

    with pytest.raises(ValueError, match=r"Half returned 5 samples for 10"):
        spec_class(Half, "processors")().build(BuildContext())(torch.zeros(1, 1, 10), {})


def test_optimisers_and_schedules_take_what_they_act_on_first() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = spec_class(torch.optim.AdamW, "optimizers")(lr=0.25, betas=(0.5, 0.75)).build(
        [{"params": [weight]}]
    )
    assert optimizer.defaults["lr"] == 0.25
    assert optimizer.defaults["betas"] == (0.5, 0.75)
    schedule = spec_class(torch.optim.lr_scheduler.StepLR, "schedules")(step_size=1, gamma=0.5)
    scheduler = schedule.build(optimizer, 10)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] == 0.125

"""Small analogue circuits as functions of their component values: clippers and a tone stack."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fxkit_signal.biquad import sosfilt
from fxkit_signal.diode import DiodeNode, Diodes, Rule, diode_node, run_node


class OpAmpStage(NamedTuple):
    """Hold what `run_op_amp_stage` needs of the components: sections [batch, 1, 6], and the diodes' node."""

    leg: Tensor
    node: DiodeNode


def diode_clipper(
    audio: Tensor, resistance: Tensor, node: DiodeNode, state: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Run audio in volt through a resistor into a capacitor and two opposed diodes to ground.

    C dv/dt = (u - v) / R - I (e^(v / a) - e^(-v / b)) (Yeh, Abel and Smith, DAFx-07, eq. 4). `resistance` in
    ohm [batch, 1, 1 or samples]; `node` as `fxkit_signal.diode.diode_node` makes it of the conductance
    1 / R, the capacitor and the diodes. Returns float64 volt [batch, channels, samples] and the next state.
    """
    return run_node(audio.double() / resistance.double(), node, state)


def op_amp_stage(
    feedback: tuple[Tensor, Tensor],
    leg: tuple[Tensor, Tensor],
    diodes: Diodes,
    rate: float,
    rule: Rule = "trapezoidal",
) -> OpAmpStage:
    """Discretise a non-inverting amplifier with diodes in its feedback.

    `feedback` and `leg` are resistance in ohm and capacitance in farad, [batch, 1, 1]; the feedback's
    resistance may be [batch, 1, samples].
    """
    resistance, capacitance = (value.double() for value in leg)
    node = diode_node(1 / feedback[0].double(), feedback[1], diodes, rate, rule)
    return OpAmpStage(_leg_sections(resistance, capacitance, rate), node)


def run_op_amp_stage(
    audio: Tensor, stage: OpAmpStage, state: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Run audio in volt through the stage; return float64 volt and the next state.

    An ideal operational amplifier holds its inverting input at the audio's voltage u, so the leg to
    ground, a resistor in series with a capacitor, takes a current that depends on u alone. That current
    flows through the feedback, a resistor, a capacitor and two opposed diodes in parallel, whose voltage
    v adds to u (Yeh, Abel and Smith, DAFx-07, section 4, on the Tube Screamer). The state is that of the
    leg [batch, channels, 1, 2] and that of the diodes.
    """
    before, node = state or (None, None)
    fine = audio.double()
    current, after = sosfilt(fine, stage.leg, before)
    across, node = run_node(current, stage.node, node)
    return fine + across, (after, node)


def _leg_sections(resistance: Tensor, capacitance: Tensor, rate: float) -> Tensor:
    """Design the admittance s C / (1 + s R C) by the bilinear transform, [batch, 1, 6]."""
    turn = 2 * rate * capacitance
    head = (turn / (1 + turn * resistance)).flatten(1)
    pole = ((turn * resistance - 1) / (turn * resistance + 1)).flatten(1)
    zero, one = torch.zeros_like(head), torch.ones_like(head)
    return torch.stack([head, -head, zero, one, -pole, zero], dim=-1)


class ToneStack(NamedTuple):
    """Hold the components of a bass, middle and treble network in ohm and farad, of one shape.

    R1 is the treble pot, R2 the bass pot, R3 the middle pot, R4 the slope resistor; C1 passes treble,
    C2 and C3 lead to the bass and middle pots.
    """

    r1: Tensor
    r2: Tensor
    r3: Tensor
    r4: Tensor
    c1: Tensor
    c2: Tensor
    c3: Tensor


def tone_stack(parts: ToneStack, bass: Tensor, middle: Tensor, treble: Tensor, rate: float) -> Tensor:
    """Design a tone stack at pot positions in [0, 1]; return float64 sections [..., 2, 6].

    All arguments broadcast. The transfer function is that of Yeh and Smith, "Discretization of the '59
    Fender Bassman tone stack", DAFx-06, eqs. 1 to 8, loaded by an open circuit, with an ideal source and
    their taper of the bass pot; the bilinear transform makes it digital. Its poles are real, as those of
    any network of resistors and capacitors, so it splits into sections of first and second order.
    """
    numerator, denominator = _transfer(parts, bass.double(), middle.double(), treble.double())
    scale = 2 * rate
    b1, b2, b3 = (value * scale**power for power, value in enumerate(numerator, 1))
    a1, a2, a3 = (value * scale**power for power, value in enumerate(denominator, 1))
    pole = _fastest_pole(a1, a2, a3)
    # a3 s^3 + a2 s^2 + a1 s + 1 = (s - pole) (a3 s^2 + p s + q)
    p = a2 + a3 * pole
    q = a1 + p * pole
    zero, one = torch.zeros_like(p), torch.ones_like(p)
    first = _bilinear((zero, one, zero), (zero, one, -pole))
    return torch.stack([first, _bilinear((b3, b2, b1), (a3, p, q))], dim=-2)


def _transfer(x: ToneStack, bass: Tensor, m: Tensor, t: Tensor) -> tuple[tuple[Tensor, ...], ...]:
    r1, r2, r3, r4, c1, c2, c3 = (value.double() for value in x)
    low = torch.exp(3.4 * (bass - 1))
    all_c, pair = c1 * c2 * c3, r1 * r3 * r4
    ladder = c1 * c3 * r3**2 + c2 * c3 * r3**2
    bass_pair = c1 * c3 * r2 * r3 + c2 * c3 * r2 * r3
    cubic = all_c * (r1 * r2 * r3 + r2 * r3 * r4) * low * m + all_c * r1 * r2 * r4 * low
    middle = all_c * (r1 * r3**2 + r3**2 * r4) * (m - m**2)
    b1 = t * c1 * r1 + m * c3 * r3 + low * (c1 + c2) * r2 + (c1 + c2) * r3
    b2 = (
        t * (c1 * c2 + c1 * c3) * r1 * r4 - m**2 * ladder + m * (c1 * c3 * r1 * r3 + ladder)
        + low * (c1 * c2 * r1 * r2 + c1 * c2 * r2 * r4 + c1 * c3 * r2 * r4) + low * m * bass_pair
        + c1 * c2 * r1 * r3 + c1 * c2 * r3 * r4 + c1 * c3 * r3 * r4
    )  # fmt: skip
    b3 = (
        low * m * all_c * (r1 * r2 * r3 + r2 * r3 * r4) + middle
        + t * all_c * pair * (1 - m) + t * low * all_c * r1 * r2 * r4
    )  # fmt: skip
    a1 = c1 * r1 + c1 * r3 + c2 * r3 + c2 * r4 + c3 * r4 + m * c3 * r3 + low * (c1 + c2) * r2
    a2 = (
        m * (c1 * c3 * r1 * r3 - c2 * c3 * r3 * r4 + ladder) + low * m * bass_pair - m**2 * ladder
        + low * (c1 * c2 * r2 * r4 + c1 * c2 * r1 * r2 + c1 * c3 * r2 * r4 + c2 * c3 * r2 * r4)
        + c1 * c2 * r1 * r4 + c1 * c3 * r1 * r4 + c1 * c2 * r3 * r4 + c1 * c2 * r1 * r3
        + c1 * c3 * r3 * r4 + c2 * c3 * r3 * r4
    )  # fmt: skip
    a3 = cubic + middle + all_c * pair * (1 - m)
    return (b1, b2, b3), (a1, a2, a3)


def _fastest_pole(a1: Tensor, a2: Tensor, a3: Tensor) -> Tensor:
    """Return the most negative root of a3 s^3 + a2 s^2 + a1 s + 1, all of whose roots are real."""

    def step(s: Tensor) -> Tensor:
        return s - (((a3 * s + a2) * s + a1) * s + 1) / ((3 * a3 * s + 2 * a2) * s + a1)

    with torch.no_grad():
        # The sum of the roots lies beyond each of them; from there Newton's method closes in.
        s = -a2 / a3
        for _ in range(40):
            s = step(s)
    return step(s)


def _bilinear(above: tuple[Tensor, ...], below: tuple[Tensor, ...]) -> Tensor:
    """Map quadratics in s / (2 rate), from power 2 down, to one section [..., 6]."""
    rows = [(c0 + c1 + c2, 2 * (c0 - c2), c0 - c1 + c2) for c2, c1, c0 in (above, below)]
    top, bottom = rows
    return torch.stack([*(value / bottom[0] for value in (*top, *bottom))], dim=-1)

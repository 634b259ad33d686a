"""The module that runs processors in series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from fxkit.adapters import as_module
from fxkit.values import State
from fxkit_dsp._nesting import Member


class SeriesModule(nn.Module):
    """Hand audio from one processor to the next.

    The state is a tuple of theirs. Parameters and terms of member i are called "i.name"; a named input
    goes to every member that has one of that name.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        self.members = nn.ModuleList(as_module(member.spec.build(member.ctx)) for member in members)
        self.traits = tuple(member.traits for member in members)

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State = None, **inputs: Tensor
    ) -> Any:
        """Run one block; returns audio, state, and the terms where any member has some."""
        after, terms = [], {}
        for index, (module, traits) in enumerate(zip(self.members, self.traits, strict=True)):
            prefix = f"{index}."
            own = {name[len(prefix) :]: track for name, track in params.items() if name.startswith(prefix)}
            named = {name: inputs[name] for name in traits.inputs}
            result = module(audio, own, None if state is None else state[index], **named)
            audio = result[0]
            after.append(result[1])
            terms.update({prefix + name: value for name, value in result[2].items()} if traits.terms else {})
        has_terms = any(traits.terms for traits in self.traits)
        return (audio, tuple(after), terms) if has_terms else (audio, tuple(after))

    def state_at(self, starts: Tensor) -> State:
        """Return the members' states after silence that lasted `starts` samples [batch]."""
        clocks = [getattr(module, "state_at", None) for module in self.members]
        return tuple(clock(starts) if clock else None for clock in clocks)

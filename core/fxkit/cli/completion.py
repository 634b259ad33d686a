"""`fxkit completion`: print the script by which a shell completes fxkit's command lines, and answer it."""

from __future__ import annotations

import copy
import os
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    shell_complete,
)

from fxkit.cli.candidates import OPEN, source_of
from fxkit.cli.main import COMMANDS, COMPLETE_VARIABLE, LazyGroup

PROGRAM = "fxkit"
EPILOG = """\b
Examples:
  fxkit completion bash >> ~/.bashrc
  fxkit completion zsh >> ~/.zshrc
  fxkit completion fish > ~/.config/fish/completions/fxkit.fish
"""


class _Bash(BashComplete):
    """Leave no space after what is not whole, and take words apart as bash does: at "=", too."""

    source_template = BashComplete.source_template.replace(
        "elif [[ $type == 'plain' ]]",
        "elif [[ $type == 'open' ]]; then\n"
        "            COMPREPLY+=($value)\n"
        "            compopt -o nospace\n"
        "        elif [[ $type == 'plain' ]]",
    )

    def get_completion_args(self) -> tuple[list[str], str]:
        words = os.environ["COMP_WORDS"].split("\n")
        count = int(os.environ["COMP_CWORD"])
        joined: list[str] = []
        for word in [*words[:count], words[count] if count < len(words) else ""]:
            whole = joined and (word == "=" or joined[-1].endswith("=")) and not joined[-1].startswith("-")
            if whole:
                joined[-1] += word
            else:
                joined.append(word)
        return joined[1:-1], joined[-1]

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        typed = incomplete.rpartition("=")
        items = super().get_completions(args, incomplete)
        # bash replaces what stands after the last "=" alone.
        return [CompletionItem(one.value.removeprefix("".join(typed[:2])), one.type) for one in items]


class _Zsh(ZshComplete):
    """Leave no space after what is not whole."""

    source_template = ZshComplete.source_template.replace(
        'elif [[ "$type" == "dir" ]]',
        'elif [[ "$type" == "open" ]]; then\n'
        "            compadd -U -S '' -V unsorted -- \"$key\"\n"
        '        elif [[ "$type" == "dir" ]]',
    )

    def format_completion(self, item: CompletionItem) -> str:
        return super().format_completion(CompletionItem(item.value, item.type) if item.type == OPEN else item)


class _Fish(FishComplete):
    """Tell fish what is not whole as any other: it leaves no space after = . and / by itself."""

    def format_completion(self, item: CompletionItem) -> str:
        return super().format_completion(CompletionItem(item.value, "plain", item.help))


_SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


class _Sourced(click.ParamType):  # type: ignore[type-arg]
    """Offer values of a parameter, and take any."""

    name = "text"

    def __init__(self, param: click.Parameter) -> None:
        self.inner, self.source = param.type, source_of(param)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        if self.source is None:
            return self.inner.shell_complete(ctx, param, incomplete)
        return list(self.source(ctx, incomplete))


class _Offering(LazyGroup):
    """Be the group of all commands, whose parameters know what to offer."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        return None if command is None else _equipped(command)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [name for name in COMMANDS if name.startswith(incomplete)]
        # Not the group's own way, which imports every command for its help.
        options = click.Command.shell_complete(self, ctx, incomplete)
        return [*(CompletionItem(name, help=COMMANDS[name].summary) for name in names), *options]


def _equipped(command: click.Command) -> click.Command:
    """Return a copy whose parameters know what to offer: the command itself may yet be called."""
    own = copy.copy(command)
    own.params = [_sourced(param) for param in command.params]
    if isinstance(own, click.Group):
        own.commands = {name: _equipped(inner) for name, inner in own.commands.items()}
    return own


def _sourced(param: click.Parameter) -> click.Parameter:
    if source_of(param) is None:
        return param
    own = copy.copy(param)
    own.type = _Sourced(param)
    return own


def respond(group: click.Command, instruction: str) -> int:
    """Answer a shell that asks, by the environment, how the line that it holds may go on."""
    for name, shell in _SHELLS.items():
        add_completion_class(shell, name)
    offering = _Offering(name=PROGRAM, params=group.params)
    return shell_complete(offering, {}, PROGRAM, COMPLETE_VARIABLE, instruction)


@click.command("completion", epilog=EPILOG)
@click.argument("shell", type=click.Choice([*_SHELLS]))
def command(shell: str) -> None:
    """Print the script by which SHELL completes fxkit's command lines.

    It completes commands and options, experiments that ship and files, runs, plugins by name, and after
    --set the paths and the known values of the experiment that the line names.
    """
    group: Any = click.Group(PROGRAM)
    click.echo(_SHELLS[shell](group, {}, PROGRAM, COMPLETE_VARIABLE).source())

"""The two ways in which a plugin's name fails: it cannot be resolved, or it cannot be loaded."""

from __future__ import annotations

from fxkit_registry.entry import Entry


class LookupFailure(LookupError):
    """Report a name that does not resolve; the message is ready for users.

    `suggestions` are spellings that would resolve, closest first.
    """

    def __init__(self, message: str, *, kind: str, name: str, suggestions: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.name = name
        self.suggestions = suggestions


class LoadFailure(Exception):
    """Report a plugin whose target cannot be imported; the message is ready for users.

    `reason` is the cause alone in one line, `fix` what to do, `original` the exception.
    """

    def __init__(self, entry: Entry, reason: str, fix: str, original: BaseException | None = None) -> None:
        message = f'"{entry.name}" from {entry.origin} cannot be loaded: {reason}'
        super().__init__(f"{message}. {fix}" if fix else message)
        self.entry = entry
        self.reason = reason
        self.fix = fix
        self.original = original

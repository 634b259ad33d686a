"""Find, describe and load plugins by name; knows distributions and entry points, nothing of audio."""

from fxkit_registry.entry import LOCAL, Entry
from fxkit_registry.failure import LoadFailure, LookupFailure
from fxkit_registry.registry import Registry
from fxkit_registry.suggestion import closest

__all__ = ["LOCAL", "Entry", "LoadFailure", "LookupFailure", "Registry", "closest"]

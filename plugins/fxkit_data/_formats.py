"""Name the audio files that are read, and those that people have but that are not."""

from __future__ import annotations

READABLE = frozenset({".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3"})
# Audio that people have but that is not read here; anything else in a folder is not taken for audio.
UNSUPPORTED = frozenset(
    {".aac", ".aifc", ".amr", ".ape", ".au", ".caf", ".dsf", ".m4a", ".mka", ".mp4", ".opus", ".ra"}
    | {".w64", ".wma", ".wv"}
)
FORMATS = "WAV, FLAC, AIFF, OGG or MP3"

"""Bring experiments over: from older fxkit files, and from the files of other programs."""

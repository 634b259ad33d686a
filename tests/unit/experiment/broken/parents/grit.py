"""A plugin of the user's own."""

raise RuntimeError("grit is not ready")

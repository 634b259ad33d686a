"""Neural processors."""

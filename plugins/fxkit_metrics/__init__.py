"""Metrics: losses that are not trained on."""

"""Datasets: where recordings come from, and the check that they pass before training."""

"""Describe a model as people need it: a card of facts, text, a picture, and how fast it runs."""

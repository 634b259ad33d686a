"""Embeddings: audio as vectors."""

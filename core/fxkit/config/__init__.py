"""Look at experiment files as values with origins: show them, fill them in, tell two apart."""

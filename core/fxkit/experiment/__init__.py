"""Read experiment files: strictly, without torch, with every problem at its line and column."""

"""Train one experiment many times, with different values, and say which was best."""

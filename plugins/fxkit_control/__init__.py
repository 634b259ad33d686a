"""Controllers: what decides the parameters of processors."""

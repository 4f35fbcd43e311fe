"""Which state is left where it is by a map: one file an algorithm."""

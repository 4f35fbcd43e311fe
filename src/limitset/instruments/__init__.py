"""Pure measurements: one file, one question; none of them imports another."""

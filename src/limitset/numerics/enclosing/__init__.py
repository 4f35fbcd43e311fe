"""What can be proved about a map in floating point: intervals, bounds, theorems."""

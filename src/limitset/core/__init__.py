"""Protocols, results, errors, random streams, intervals, answer classes and provenance; no torch."""

"""`python -m limitset`."""

from limitset.cli.main import run

run()

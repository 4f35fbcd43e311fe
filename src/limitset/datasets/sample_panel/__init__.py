"""Which panel can be audited by somebody who has no log yet?

Five prompts of two small models answer 204 questions of four choices, three drawn answers each.
"""

from pathlib import Path

PANEL = Path(__file__).parent / "panel.csv"
"""A file of replies with keys; `runs/sample-panel` has the commands that made it."""

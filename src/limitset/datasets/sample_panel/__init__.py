"""Which panel can be audited by somebody who has no log yet?

Five prompts of two small models answer 204 questions of four choices, three drawn answers each.
"""

from pathlib import Path

PANEL = Path(__file__).parent / "panel.csv"
"""A file of replies with keys; `runs/sample-panel` has the commands that made it."""
ATTRIBUTIONS = (
    "SmolLM2-135M-Instruct by Hugging Face, Apache-2.0.",
    "Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms.",
)
"""Whose models answered; stands on every page made of the panel."""

"""May a model say a sentence in other words, and do they still say the same?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from limitset.library.inquiry.answer import Relation, Sentence
from limitset.library.inquiry.grounding import changed
from limitset.library.inquiry.instructions import instruction_in

Rephrase = Callable[[str], str]
"""One sentence to the same in other words."""


def rephrased(sentence: Sentence, rephrase: Rephrase) -> Sentence:
    """Let a sentence be rephrased; one that fails a check, is empty or gives an order stays as it was.

    Only sentences that state or limit are offered: contrasts and absences are fixed forms.

    Examples
    --------
    >>> sentence = Sentence(text="The share fell to 0.8.", cites=("n#1",), relation=Relation.STATES)
    >>> rephrased(sentence, lambda text: "To 0.8 the share fell.").marks
    ('rephrased',)
    >>> rephrased(sentence, lambda text: "The share rose to 0.8.").text
    'The share fell to 0.8.'
    """
    if sentence.relation is not Relation.STATES:
        return sentence
    text = " ".join(str(rephrase(sentence.text)).split())
    if not text or text == sentence.text or changed(text, sentence.text) or instruction_in(text):
        return sentence
    return replace(sentence, text=text, marks=(*sentence.marks, "rephrased"))

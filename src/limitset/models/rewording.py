"""How is a model asked to say one sentence in other words?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from limitset.core.replies import Draw, LanguageModel, Message, Prompt
from limitset.core.streams import Streams

INSTRUCTION: Final = (
    "Reword the sentence. Keep every fact, number, name, direction and negation. Add nothing. "
    "Reply with one sentence only."
)
_EXAMPLES: Final = (
    ("The share of wrong answers fell from 0.4 to 0.3.", "From 0.4, the share of wrong answers fell to 0.3."),
    ("Larger steps do not settle.", "Steps that are larger do not settle."),
)
_GREEDY: Final = Draw(seed=0, temperature=0.0)


def rewording(model: LanguageModel, *, max_tokens: int = 120) -> Callable[[str], str]:
    """Return a function that lets a model reword one sentence, greedily.

    Parameters
    ----------
    model
        What rewords; one whose `style` is "few_shot" (or that has none) continues examples, others are asked.
    max_tokens
        At most so many tokens, 1 or more; a reply that was cut off is dropped.

    Returns
    -------
    callable
        A sentence to the same in other words, or "" where the model gave none. Nothing is checked here:
        whether it still says the same is for the caller (`limitset.library.inquiry`).

    Examples
    --------
    >>> from limitset.models.scripted import ScriptedModel
    >>> reword = rewording(ScriptedModel("toy", {"Loss fell by 3.": "By 3, loss fell."}))
    >>> reword("Loss fell by 3.")
    'By 3, loss fell.'
    """

    def reworded(sentence: str) -> str:
        plain = " ".join(sentence.split())
        prompt = _prompt(model, plain)
        replies = model.generate(
            [prompt],
            rows=[plain],
            draws=[_GREEDY],
            max_tokens=max_tokens,
            top_p=1.0,
            # a conversation may open its reply with an empty line; a continuation ends with the line
            stop=("\n",) if isinstance(prompt, str) else (),
            rng=Streams(0),
        )
        reply = replies[0][0]
        return "" if reply.finish != "stop" else _first_line(reply.text)

    return reworded


def _prompt(model: LanguageModel, sentence: str) -> Prompt:
    if getattr(model, "style", _style(model)) == "chat":
        # some chat templates know no system turn
        return (Message("user", f"{INSTRUCTION}\n\nSentence: {sentence}"),)
    shown = "".join(f"Sentence: {before}\nReworded: {after}\n\n" for before, after in _EXAMPLES)
    return f"{INSTRUCTION}\n\n{shown}Sentence: {sentence}\nReworded:"


def _style(model: LanguageModel) -> str:
    """Ask a torch model by conversation where its tokenizer knows one."""
    return "chat" if getattr(getattr(model, "tokenizer", None), "chat_template", None) else "few_shot"


def _first_line(text: str) -> str:
    line = text.strip().split("\n", 1)[0].strip()
    return re.sub(r'^["“](.*)["”]$', r"\1", line)

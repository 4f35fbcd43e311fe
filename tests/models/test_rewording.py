"""Does a model get one sentence at a time, and does only a finished reply come back?"""

import pytest

from limitset.core.errors import InputError
from limitset.core.replies import Reply
from limitset.models.rewording import INSTRUCTION, rewording
from limitset.models.scripted import ScriptedModel


class Recording:
    """A model that keeps what it was asked."""

    name = identity = "recording"

    def __init__(self, text: str, finish: str = "stop") -> None:
        self.reply = Reply(text=text, tokens=3, finish=finish)
        self.asked = []

    def generate(self, prompts, *, rows, draws, max_tokens, top_p, stop, rng):
        self.asked.append((prompts, tuple(rows), tuple(draws), max_tokens, stop))
        return [[self.reply] for _ in prompts]


def test_the_reply_to_the_sentence_comes_back():
    model = ScriptedModel("toy", {"Loss fell by 3.": "By 3, loss fell.", "Loss rose.": "Up went loss."})
    reword = rewording(model)
    assert [reword("Loss fell by 3."), reword("Loss rose.")] == ["By 3, loss fell.", "Up went loss."]


def test_a_base_model_continues_examples_and_a_chat_model_is_asked():
    few, chat = Recording("x"), Recording("x")
    chat.style = "chat"
    rewording(few)("Loss\nfell.")
    rewording(chat)("Loss fell.")
    (prompt,), _, draws, _, stop = few.asked[0]
    assert prompt.endswith("Sentence: Loss fell.\nReworded:")
    assert stop == ("\n",)
    assert draws[0].greedy
    (conversation,), *_, stop = chat.asked[0]
    assert [(turn.role, turn.content) for turn in conversation] == [
        ("user", f"{INSTRUCTION}\n\nSentence: Loss fell.")
    ]
    assert stop == ()


def test_a_reply_that_was_cut_off_is_dropped():
    assert rewording(Recording("Loss fell by", finish="length"))("Loss fell by 3.") == ""


def test_only_the_first_line_comes_back_without_quotation_marks():
    assert rewording(Recording('\n"Loss fell."\nNote: reworded.'))("x") == "Loss fell."


def test_max_tokens_reaches_the_model():
    model = Recording("x")
    rewording(model, max_tokens=7)("Loss fell.")
    assert model.asked[0][3] == 7


def test_a_sentence_that_does_not_fit_the_window_is_refused(torch_llama):
    # the instruction and the examples alone are more than 256 letters
    with pytest.raises(InputError, match="within 256 tokens"):
        rewording(torch_llama, max_tokens=8)("loss fell.")

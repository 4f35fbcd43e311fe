"""Is a model shown its last text, and is what it says taken as it is?"""

import pytest

from limitset.core.errors import InputError
from limitset.core.levels import Level
from limitset.core.replies import Message, Reply
from limitset.core.streams import Streams
from limitset.instruments.dynamics import iterate
from limitset.maps import INSTRUCTIONS, TEXT_MAP_VERSION, Instruction, TextMap, text_starts

RNG = Streams(0)


class Scripted:
    """A model that replies by a function of the prompt's text and keeps what it was asked."""

    name = identity = "scripted"

    def __init__(self, reply):
        self.reply = reply
        self.asked = []

    def generate(self, prompts, *, rows, draws, max_tokens, top_p, stop, rng):
        self.asked.append(
            {
                "prompts": list(prompts),
                "rows": list(rows),
                "draws": list(draws),
                "max_tokens": max_tokens,
                "top_p": top_p,
                "stop": stop,
                "rng": rng,
            }
        )
        texts = [prompt if isinstance(prompt, str) else prompt[-1].content for prompt in prompts]
        return [[Reply(text=self.reply(text), tokens=1) for _ in draws] for text in texts]


def text_map(model, *, questions=("Q0?", "Q1?", "Q2?"), instruction="again", style="chat", **more):
    return TextMap(model=model, questions=questions, instruction=instruction, style=style, **more)


def test_again_shows_the_question_of_the_row_and_the_last_answer():
    model = Scripted(lambda text: "x")
    text_map(model).step(["one", "two"], rows=[2, 0], rng=RNG)
    first, second = model.asked[0]["prompts"]
    assert first == (
        Message(
            role="user",
            content="Q2?\nYour last answer was: one\nAnswer the question again. "
            "Reply with the answer only, in a few words.",
        ),
    )
    assert second[0].content.startswith("Q0?\nYour last answer was: two\n")
    assert model.asked[0]["rows"] == ["2", "0"]


def test_rewrite_shows_the_text_and_hides_the_question():
    for style in ("chat", "few_shot"):
        model = Scripted(lambda text: "x")
        text_map(model, instruction="rewrite", style=style).step(["A dog barks."], rows=[1], rng=RNG)
        shown = model.asked[0]["prompts"][0]
        content = shown if style == "few_shot" else shown[0].content
        assert "A dog barks." in content
        assert "Q1?" not in content


@pytest.mark.parametrize("name", ["again", "rewrite"])
def test_a_base_model_gets_examples_and_goes_on_where_they_end(name):
    model = Scripted(lambda text: " y\n")
    text_map(model, instruction=name, style="few_shot").step(["z"], rows=[1], rng=RNG)
    prompt = model.asked[0]["prompts"][0]
    last = {"again": "Question: Q1?\nLast answer: z\nAnswer again:", "rewrite": "Sentence: z\nRewritten:"}[
        name
    ]
    assert prompt.endswith(last)
    assert prompt.count("\n\n") == {"again": 4, "rewrite": 3}[name]
    assert model.asked[0]["stop"] == ("\n",)


def test_half_of_the_again_examples_mend_the_last_answer():
    blocks = INSTRUCTIONS["again"].shots_step.split("\n\n")[:-1]
    pairs = [(b.split("Last answer: ")[1].split("\n")[0], b.split("Answer again: ")[1]) for b in blocks]
    assert sum(last == again for last, again in pairs) == 2 == sum(last != again for last, again in pairs)


def test_an_instruct_model_is_not_stopped():
    model = Scripted(lambda text: "x")
    text_map(model).step(["a"], rows=[0], rng=RNG)
    assert model.asked[0]["stop"] == ()
    assert model.asked[0]["top_p"] == 1.0


def test_a_state_is_the_reply_with_white_space_collapsed_and_nothing_else():
    model = Scripted(lambda text: "  The\tcapital\n\nis  PARIS. ")
    assert text_map(model).step(["a"], rows=[0], rng=RNG) == ["The capital is PARIS."]


def test_an_empty_reply_is_a_state_like_any_other():
    got = iterate(text_map(Scripted(lambda text: " ")), ["a", "b", "c"], steps=5, rng=RNG)
    assert got.states == (("a", "", ""), ("b", "", ""), ("c", "", ""))
    assert got.arrival.tolist() == [1, 1, 1]


def test_braces_and_placeholders_in_texts_are_left_alone():
    model = Scripted(lambda text: "x")
    text_map(model, questions=("Is {state} {question} {0}?",)).step(["{question} {state}"], rows=[0], rng=RNG)
    content = model.asked[0]["prompts"][0][0].content
    assert content.startswith("Is {state} {question} {0}?\nYour last answer was: {question} {state}\n")


def test_max_tokens_come_from_the_instruction_unless_given():
    for given, expected in ((None, INSTRUCTIONS["rewrite"].max_tokens), (7, 7)):
        model = Scripted(lambda text: "x")
        map = text_map(model, instruction="rewrite", max_tokens=given)
        map.step(["a"], rows=[0], rng=RNG)
        assert model.asked[0]["max_tokens"] == expected == map.parameters()["max_tokens"]


def test_only_greedy_is_deterministic():
    model = Scripted(lambda text: "x")
    assert text_map(model).deterministic
    warm = text_map(model, temperature=0.7)
    assert not warm.deterministic
    warm.step(["a"], rows=[0], rng=RNG)
    assert (model.asked[0]["draws"][0].temperature, model.asked[0]["draws"][0].seed) == (0.7, 0)
    assert not iterate(warm, ["a", "b", "c"], steps=4, rng=RNG).settled.any()


def test_the_streams_of_the_step_reach_the_model():
    model = Scripted(lambda text: text[-9:])
    iterate(text_map(model, temperature=0.7), ["a", "b", "c"], steps=2, rng=RNG)
    assert [asked["rng"] for asked in model.asked] == [RNG.child("step", 1), RNG.child("step", 2)]


def test_a_loop_of_two_answers_is_found():
    # a model that contradicts itself each time
    model = Scripted(lambda text: "Sydney" if "was: Canberra" in text else "Canberra")
    got = iterate(text_map(model), ["Sydney", "Perth", "Canberra"], steps=8, rng=RNG)
    assert got.periods.tolist() == [2, 2, 2]
    assert got.arrival.tolist() == [0, 1, 0]


def test_parameters_name_everything_that_moves_an_orbit():
    assert text_map(Scripted(str), style="few_shot", temperature=0.5).parameters() == {
        "instruction": "again",
        "style": "few_shot",
        "max_tokens": 24,
        "temperature": 0.5,
        "text_map_version": TEXT_MAP_VERSION,
        "model": "scripted",
    }
    assert text_map(Scripted(str)).level is Level.TEXT


def test_an_instruction_of_ones_own():
    own = Instruction(
        name="negate",
        chat_start="{question}",
        chat_step="Negate: {state}",
        shots_start="{question}",
        shots_step="{state} ->",
        held=False,
        max_tokens=5,
    )
    model = Scripted(lambda text: text)
    map = text_map(model, instruction=own)
    assert map.step(["yes"], rows=[0], rng=RNG) == ["Negate: yes"]
    assert map.loop == "negate"
    assert text_starts(model, ["Q?"], instruction=own, style="few_shot", rng=RNG) == ["Q?"]


@pytest.mark.parametrize(
    ("name", "style", "expected"),
    [
        ("again", "chat", "Q?\nReply with the answer only, in a few words."),
        ("rewrite", "chat", "Q?\nReply with one full sentence that states the answer."),
        ("again", "few_shot", "Question: Q?\nAnswer:"),
        ("rewrite", "few_shot", "Question: Q?\nSentence:"),
    ],
)
def test_starts_are_the_models_own_greedy_replies(name, style, expected):
    model = Scripted(lambda text: " a  b ")
    assert text_starts(model, ["Q?", "R?"], instruction=name, style=style, rng=RNG) == ["a b", "a b"]
    asked = model.asked[0]
    prompt = asked["prompts"][0]
    assert (prompt if style == "few_shot" else prompt[0].content).endswith(expected)
    assert asked["draws"][0].greedy
    assert asked["max_tokens"] == INSTRUCTIONS[name].max_tokens
    text_starts(model, ["Q?"], instruction=name, style=style, max_tokens=3, rng=RNG)
    assert model.asked[1]["max_tokens"] == 3


def test_no_questions_ask_nothing():
    model = Scripted(str)
    assert text_starts(model, [], instruction="again", style="chat", rng=RNG) == []
    assert model.asked == []


def test_an_unknown_instruction_is_refused():
    with pytest.raises(InputError, match="must be one of again, rewrite, or an Instruction; got 'translate'"):
        text_map(Scripted(str), instruction="translate")


def test_a_negative_temperature_is_refused():
    with pytest.raises(InputError, match="temperature must be 0 or above; got -1"):
        text_map(Scripted(str), temperature=-1.0)

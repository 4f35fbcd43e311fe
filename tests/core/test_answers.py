"""Which answer does a reply give: hand cases by form, and laws that hold for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limitset.core.answers import AnswerClass, classify, normalised
from limitset.core.levels import Status

QUESTIONS = {
    "australia": ("What is the capital of Australia?", ("Canberra",), "Sydney", "name"),
    "luxembourg": ("What is the capital of Luxembourg?", ("Luxembourg", "Luxembourg City"), None, "name"),
    "singapore": ("What is the capital of Singapore?", ("Singapore",), None, "name"),
    "ukraine": ("What is the capital of Ukraine?", ("Kyiv", "Kiev"), None, "name"),
    "usa": (
        "What is the capital of the United States?",
        ("Washington, D.C.", "Washington DC", "Washington"),
        "New York City",
        "name",
    ),
    "chad": ("What is the capital of Chad?", ("N'Djamena", "Ndjamena"), None, "name"),
    "minnesota": (
        "What is the capital of the US state of Minnesota?",
        ("Saint Paul", "St. Paul"),
        "Minneapolis",
        "name",
    ),
    "tanzania": ("Which city is the capital of Tanzania?", ("Dodoma",), "Dar es Salaam", "name"),
    "thailand": ("What is the currency of Thailand?", ("Baht", "Thai Baht", "THB"), None, "name"),
    "sum": ("What is 7 plus 8?", ("15",), None, "number"),
    "grams": ("How many grams are there in 2 kilograms?", ("2000",), None, "number"),
    "decimal": ("Which is larger, 9.11 or 9.9?", ("9.9",), "9.11", "number"),
    "fraction": ("Which is larger, 1/3 or 1/4?", ("1/3",), "1/4", "choice"),
    "parity": ("Is 24 odd or even?", ("even",), None, "choice"),
    "symbol": ("What is the chemical symbol of sodium?", ("Na",), "So", "code"),
    "sorting": ("Sort from smallest to largest: 9, 2, 5.", ("2, 5, 9",), None, "list"),
    "open": ("What is the meaning of life?", (), None, None),
}


def ask(name: str, reply: str) -> AnswerClass:
    question, accepted, lure, form = QUESTIONS[name]
    return classify(reply, question=question, accepted=accepted, lure=lure, form=form)


@pytest.mark.parametrize(
    ("name", "reply", "end", "right"),
    [
        ("australia", " Canberra", "Canberra", True),
        ("australia", "The capital of Australia is Canberra.", "Canberra", True),
        ("australia", "Canberra is the capital of Australia.", "Canberra", True),
        ("australia", "It is CANBERRA, not Sydney", "Canberra", True),
        ("australia", "Sydney, Australia", "Sydney", False),
        ("australia", "Sydney. Canberra", "Sydney", False),
        ("australia", "Sydney or Canberra", "Sydney", False),
        ("australia", "the city of Canberra", "Canberra", True),
        ("australia", "**Canberra**", "Canberra", True),
        ("australia", "A: Canberra", "Canberra", True),
        ("australia", "Answer: Canberra", "Canberra", True),
        ("australia", "What is the capital of Australia?\nCanberra", "Canberra", True),
        ("australia", "Australia's capital is Melbourne, a large city", "Melbourne", False),
        ("australia", "Australia", "Australia", False),
        ("luxembourg", "The capital of Luxembourg is Paris.", "Paris", False),
        ("luxembourg", "Paris, Luxembourg", "Paris", False),
        ("luxembourg", "The capital of Luxembourg is Luxembourg City", "Luxembourg", True),
        ("luxembourg", "Luxembourg", "Luxembourg", True),
        ("singapore", "The capital of Singapore is Singapore.", "Singapore", True),
        ("singapore", "Singapore is the capital of Singapore", "Singapore", True),
        ("ukraine", "Kiev", "Kyiv", True),
        ("ukraine", "Kyiv (Kiev)", "Kyiv", True),
        ("usa", "Washington, D.C.", "Washington, D.C.", True),
        ("usa", "Washington D.C., in the east", "Washington, D.C.", True),
        ("usa", "New York City", "New York City", False),
        ("chad", "N’Djaména", "N'Djamena", True),
        ("minnesota", "St. Paul", "Saint Paul", True),
        ("minnesota", "St Paul, Minnesota.", "Saint Paul", True),
        ("tanzania", "Dar es Salaam is the capital", "Dar es Salaam", False),
        ("thailand", "The Thai baht", "Baht", True),
        ("thailand", "The currency used in Thailand is the baht (THB).", "Baht", True),
        ("thailand", "Indian rupee", "Indian Rupee", False),
        ("sum", "15", "15", True),
        ("sum", "7 + 8 = 15", "15", True),
        ("sum", "7 plus 8 is 15.", "15", True),
        ("sum", "fifteen", "15", True),
        ("sum", "The answer is 16", "16", False),
        ("sum", "7 plus 8 equals twenty-one", "21", False),
        ("sum", "15.0", "15", True),
        ("grams", "2,000 grams", "2000", True),
        ("grams", "There are 2000 grams in 2 kilograms.", "2000", True),
        ("grams", "2 kilograms is 200 grams", "200", False),
        ("decimal", "9.11", "9.11", False),
        ("decimal", "9.9 is larger than 9.11.", "9.9", True),
        ("decimal", "The larger number is 9.90", "9.9", True),
        ("fraction", "1/3", "1/3", True),
        ("fraction", "1/4 is larger than 1/3", "1/4", False),
        ("parity", "24 is even.", "even", True),
        ("parity", "Even", "even", True),
        ("parity", "odd", "Odd", False),
        ("symbol", "The symbol for sodium is Na.", "Na", True),
        ("symbol", "Na (sodium)", "Na", True),
        ("symbol", "So", "So", False),
        ("symbol", "sd", "SD", False),
        ("sorting", "2, 5, 9", "2, 5, 9", True),
        ("sorting", "2 < 5 < 9", "2, 5, 9", True),
        ("sorting", "2, 5 and 9.", "2, 5, 9", True),
        ("sorting", "9, 5, 2", "9, 5, 2", False),
        ("open", "Forty two", "Forty Two", None),
    ],
)
def test_hand_cases(name: str, reply: str, end: str, right: bool | None) -> None:
    got = ask(name, reply)
    assert (got.end, got.status, got.right) == (end, Status.ANSWERED, right)


@pytest.mark.parametrize(
    "reply",
    [
        "I don't know.",
        "I do not know",
        "I'm sorry, but I can't",
        "As an AI language model, I",
        "Sorry, no idea",
    ],
)
def test_a_refusal_is_an_abstention(reply: str) -> None:
    got = ask("australia", reply)
    assert (got.end, got.status, got.right) == (None, Status.ABSTAINED, False)


@pytest.mark.parametrize("reply", ["", "   ", "\n\n", "...", "What is the capital of Australia?"])
def test_nothing_is_unparsed(reply: str) -> None:
    got = ask("australia", reply)
    assert (got.end, got.status, got.right) == (None, Status.UNPARSED, False)


def test_a_number_that_is_not_there_is_unparsed() -> None:
    assert ask("sum", "a lot").status is Status.UNPARSED


def test_without_accepted_answers_nothing_is_right_or_wrong() -> None:
    assert ask("open", "").right is None
    assert ask("open", "I don't know").right is None
    assert ask("open", "Love").end == "Love"


def test_the_lure_names_its_class_and_the_form_decides_what_is_read() -> None:
    with_lure = classify("sydney", question="?", accepted=("Canberra",), lure="Sydney", form="name")
    as_code = classify("sydney", question="?", accepted=("Canberra",), lure=None, form="code")
    assert (with_lure.end, as_code.end) == ("Sydney", "SYDNEY")


PIECES = "the capital of Australia is Canberra Sydney , . ( ) = : - 7 1/3 9.9 odd not I don't"
TEXTS = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(PIECES.split(" ")),
        max_size=12,
    ).map(" ".join),
)  # fmt: skip


@given(st.sampled_from(sorted(QUESTIONS)), TEXTS)
def test_every_text_has_a_class(name: str, reply: str) -> None:
    got = ask(name, reply)
    assert (got.end is None) == (got.status is not Status.ANSWERED)
    assert got.right is None if name == "open" else got.right is not None
    if got.right:
        assert got.end == QUESTIONS[name][1][0]


@given(st.sampled_from(sorted(QUESTIONS)), TEXTS)
def test_a_class_is_its_own_class(name: str, reply: str) -> None:
    end = ask(name, reply).end
    if end is not None:
        assert ask(name, end).end == end


ANSWERS = ["Canberra", "The capital of Australia is Sydney.", "Melbourne, Australia", "I don't know"]


@given(st.sampled_from(ANSWERS), st.sampled_from([str.upper, str.lower, str.title]))
def test_case_does_not_matter(reply: str, change: object) -> None:
    assert ask("australia", change(reply)) == ask("australia", reply)  # type: ignore[operator]


def test_accents_do_not_matter() -> None:
    question = "What is the capital of Brazil?"
    ends = [
        classify(reply, question=question, accepted=("Brasília",), lure="São Paulo", form="name").end
        for reply in ("Brasilia", "Brasília", "BRASÍLIA", "Sao Paulo", "São Paulo")
    ]
    assert ends == ["Brasília"] * 3 + ["São Paulo"] * 2


def test_normalised_drops_what_does_not_count() -> None:
    assert normalised("The  St. John's!") == "st john"


@pytest.mark.parametrize(("reply", "right"), [("C", True), ("C++", False), ("C#.", False), ("C.", True)])
def test_a_sign_that_ends_a_name_is_part_of_it(reply, right):
    got = classify(reply, question="Which language is it?", accepted=("C",), lure=None, form=None)
    assert got.right is right

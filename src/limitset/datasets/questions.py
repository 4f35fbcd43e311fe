"""Which questions are asked, in which words, and how are they put to a model?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.replies import Message, Prompt

Style = Literal["few_shot", "chat"]

STOP: Final = ("\n",)
"""Every answer asked for fits on one line, in both styles."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question with everything that decides whether a reply to it is right.

    Parameters
    ----------
    item
        Its id, unique in a set.
    kind
        Questions of one kind are asked in the same words and share their worked examples.
    wordings
        The same question in different words, all of them asked.
    accepted
        Right answers, the first one as it is shown; () where nothing checks the question.
    lure
        A popular wrong answer known beforehand, by a rule that never looks at a model.
    stratum, form, anchor, anchor_error, date, licence
        As in `limitset.core.items.Items`.
    """

    item: str
    kind: str
    wordings: tuple[str, ...]
    accepted: tuple[str, ...]
    lure: str | None = None
    stratum: str | None = None
    form: str | None = None
    anchor: str | None = None
    anchor_error: float | None = None
    date: str | None = None
    licence: str | None = None


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where keys come from, and under which terms."""

    name: str
    version: str
    licence: str
    attribution: str


@dataclass(frozen=True, kw_only=True, eq=False)
class QuestionSet:
    """Questions with their wordings, worked examples and sources.

    Parameters
    ----------
    name
        What the set is called.
    items
        One row a question, questions of one kind next to each other.
    questions
        Item id to question, in the order of `items`.
    exemplars
        Kind to worked examples, shown before the question; none of them is asked.
    sources
        Where the keys come from.

    Raises
    ------
    InputError
        For an empty set, wordings that differ in number or repeat, or a worked example that is also asked.

    Examples
    --------
    >>> au = Question(item="au", kind="capital", accepted=("Canberra",), wordings=("Capital of Australia?",))
    >>> mt = Question(item="mt", kind="capital", accepted=("Valletta",), wordings=("Capital of Malta?",))
    >>> asked = QuestionSet.of("demo", [au], exemplars={"capital": (mt,)})
    >>> print(asked.prompt("au", wording=0, style="few_shot"))
    Q: Capital of Malta?
    A: Valletta
    <BLANKLINE>
    Q: Capital of Australia?
    A:
    """

    name: str
    items: Items
    questions: Mapping[str, Question]
    exemplars: Mapping[str, tuple[Question, ...]] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()

    @classmethod
    def of(
        cls,
        name: str,
        questions: Sequence[Question],
        *,
        exemplars: Mapping[str, tuple[Question, ...]] | None = None,
        sources: tuple[Source, ...] = (),
    ) -> QuestionSet:
        """Build a set; questions of one kind are moved next to each other, else the order is kept."""
        kinds = {one.kind: None for one in questions}
        order = {kind: position for position, kind in enumerate(kinds)}
        ordered = sorted(questions, key=lambda one: order[one.kind])
        shown = {kind: tuple((exemplars or {}).get(kind, ())) for kind in kinds}
        _check(name, ordered, shown)
        return cls(
            name=name,
            items=_items(ordered),
            questions={one.item: one for one in ordered},
            exemplars=shown,
            sources=sources,
        )

    def __len__(self) -> int:
        return len(self.questions)

    @property
    def wordings(self) -> int:
        """In how many ways every question is worded."""
        return len(next(iter(self.questions.values())).wordings)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of question, in the order in which they are asked."""
        return tuple({one.kind: None for one in self.questions.values()})

    def question(self, item: str) -> Question:
        """Return the question with this id."""
        if item not in self.questions:
            raise InputError.of(expected="the item must be in the set", got=item, fix="Check its id.")
        return self.questions[item]

    def text(self, item: str, *, wording: int = 0) -> str:
        """Return a question in one of its wordings."""
        texts = self.question(item).wordings
        if not 0 <= wording < len(texts):
            raise InputError.of(
                expected=f"wording must be 0 to {len(texts) - 1}",
                got=wording,
                fix="Choose one of the set's wordings.",
            )
        return texts[wording]

    def prompt(self, item: str, *, wording: int, style: str) -> Prompt:
        """Return what is sent to a model.

        Parameters
        ----------
        item
            Id of the question.
        wording
            Which wording, from 0; the worked examples are worded in the same way.
        style
            ``"few_shot"`` gives text that ends after ``A:``, ``"chat"`` a conversation with the worked
            examples as earlier turns (instruct models; not the smallest ones, see ``docs/questions.md``).

        Returns
        -------
        Prompt
            All questions of one kind and wording share everything before the question itself.
        """
        text = self.text(item, wording=wording)
        shown = [(one.wordings[wording], one.accepted[0]) for one in self.exemplars[self.question(item).kind]]
        if style == "few_shot":
            return "".join(f"Q: {asked}\nA: {answer}\n\n" for asked, answer in shown) + f"Q: {text}\nA:"
        if style == "chat":
            turns = [turn for asked, answer in shown for turn in _turns(asked, answer)]
            return (*turns, Message("user", text))
        raise InputError.of(expected="style must be few_shot or chat", got=style, fix="Name one of them.")

    def stop(self, style: str) -> tuple[str, ...]:
        """Return the texts at which a reply ends; the same in both styles."""
        if style not in ("few_shot", "chat"):
            raise InputError.of(expected="style must be few_shot or chat", got=style, fix="Name one of them.")
        return STOP

    def take(self, count: int, seed: int = 0) -> QuestionSet:
        """Return `count` questions, as evenly over the strata as there are enough of each.

        Strata take turns, each in a random order of its own, so a smaller take of the same seed is part of
        a larger one.

        Parameters
        ----------
        count
            How many, 1 or more; all questions when there are not more.
        seed
            Decides which.
        """
        if count < 1:
            raise InputError.of(expected="count must be 1 or more", got=count, fix="Ask something.")
        rows: dict[str, list[str]] = {}
        for one in self.questions.values():
            rows.setdefault(one.stratum or "", []).append(one.item)
        rng = np.random.default_rng(seed)
        queues = [[rows[name][at] for at in rng.permutation(len(rows[name]))] for name in sorted(rows)]
        longest = max(len(queue) for queue in queues)
        turns = [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
        return self.only(turns[:count])

    def only(self, items: Sequence[str]) -> QuestionSet:
        """Return the questions with these ids, in the order of the set."""
        wanted = {self.question(item).item for item in items}
        return QuestionSet.of(
            self.name,
            [one for item, one in self.questions.items() if item in wanted],
            exemplars=self.exemplars,
            sources=self.sources,
        )

    def manifest(self) -> dict[str, Any]:
        """Return what decides this set: its name, a sha256 of everything asked, and its sources."""
        content = {
            "questions": [_record(one) for one in self.questions.values()],
            "exemplars": {kind: [_record(one) for one in shown] for kind, shown in self.exemplars.items()},
        }
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        strata = [one.stratum or "" for one in self.questions.values()]
        return {
            "name": self.name,
            "questions": len(self),
            "wordings": self.wordings,
            "strata": {stratum: strata.count(stratum) for stratum in sorted(set(strata))},
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "sources": [vars(source) for source in self.sources],
        }

    def attributions(self) -> tuple[str, ...]:
        """Return the sentences that a page with these questions must carry."""
        return tuple(source.attribution for source in self.sources if source.attribution)


def _turns(asked: str, answer: str) -> tuple[Message, Message]:
    return Message("user", asked), Message("assistant", answer)


def _record(question: Question) -> dict[str, Any]:
    return dict(vars(question))


def _items(questions: Sequence[Question]) -> Items:
    return Items.of_rows(
        [
            {
                "item": one.item,
                "text": one.wordings[0],
                "accepted": one.accepted or None,
                "lure": one.lure,
                "stratum": one.stratum,
                "form": one.form,
                "anchor": one.anchor,
                "anchor_error": one.anchor_error,
                "date": one.date,
                "licence": one.licence,
            }
            for one in questions
        ]
    )


def _check(name: str, questions: Sequence[Question], exemplars: Mapping[str, tuple[Question, ...]]) -> None:
    if not questions:
        raise InputError.of(expected=f"{name} needs a question", got="none", fix="Add one.")
    shown = [one for examples in exemplars.values() for one in examples]
    count = len(questions[0].wordings)
    for one in [*questions, *shown]:
        if not one.wordings or len(one.wordings) != count or len(set(one.wordings)) != count:
            raise InputError.of(
                expected=f"every question of {name} must have {max(count, 1)} different wordings",
                got=f"{one.item} with {', '.join(map(repr, one.wordings)) or 'none'}",
                fix="Word it anew.",
            )
    asked = {text for one in questions for text in one.wordings}
    leaked = next((one.item for one in shown if asked.intersection(one.wordings)), None)
    if leaked is not None:
        raise InputError.of(
            expected="a worked example must not be asked", got=leaked, fix="Choose another example."
        )

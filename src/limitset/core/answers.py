"""Which answer does a reply give, and is it an accepted one?

The rule, in order. The first line that is not an echo of the question counts, up to the end of its first
sentence. A refusal is an abstention. Where the sentence says "A is B" and one side repeats the question, the
other side is the answer. What leads that side is the answer: a number, a code, a list, or a name up to the
first comma or function word. Accepted answers and the lure are compared without case, accents, punctuation
and articles; anything else becomes a class named after itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from limitset.core.levels import Status

CANONICALISER_VERSION: Final = 2
"""Raised by every change that can move a reply to another class."""

SUBJECT_SHARE: Final = 0.5
"""A side of "A is B" repeats the question when at least this share of its words stand in the question."""

ABSTENTION: Final = re.compile(
    r"\b(i (do not|don't|dont|cannot|can't|am not|'m not|can not)\b(?! think)|i'm (not|sorry|unable)|"
    r"i am (sorry|unable)|sorry\b|as an? (ai|language model|assistant)|i have no|no idea|not sure|unknown\b|"
    r"n/a\b|(cannot|can't) (say|answer|be determined)|not enough information|i need more|"
    r"i'd be happy|could you (please )?(provide|clarify))"
)
COPULA: Final = re.compile(
    r"(?:\s(?:is|are|was|were|has|have|had|equals?|becomes?|makes|gives|results in)\s|\s*=\s*|:(?:\s+|$))",
    re.IGNORECASE,
)
# a full stop after one letter, St, Mt or Dr ends a sentence only where a new one plainly begins
END_OF_SENTENCE: Final = re.compile(
    r"(?<!\b[A-Za-z])(?<!\b[Ss]t)(?<!\bMt)(?<!\bDr)[.!?;](?=\s|$)|\.(?=\s+(?:It|The|This|Its|In|They|There)\b)"
)
PREAMBLE: Final = re.compile(
    r"^\W*(?:to (?:solve|determine|find|convert|count|calculate|compute|answer|sort|get|multiply)|"
    r"let'?s|we (?:need|have|can|must)|first|step)\b",
    re.IGNORECASE,
)
ASIDE: Final = re.compile(r"[,;(]")
MARKER: Final = re.compile(r"^\s*(?:[-*•#>]+\s*)*(?:(?:final\s+)?answer|a|q)\s*[:.)]\s*", re.IGNORECASE)
# a sign that ends a name is part of it: C, C# and C++ are three answers
WORD: Final = re.compile(r"[+-]?\d+(?:[.,/:]\d+)*|[^\W\d_]+(?:['’`ʻ][^\W\d_]+)*(?:(?:\+\+?|#)(?!\w))?")
NUMBER: Final = re.compile(r"[-−]?\d+(?:[,  ]\d{3})*(?:\.\d+)?(?!\d)")
BREAK: Final = re.compile(r"[,;:()\[\]\"“”*<>|=]|(?<=[^\W\d])/|\s[-–—]\s")
CITY_OF: Final = re.compile(r"^(?:the\s+)?(?:city|town)\s+of\s+", re.IGNORECASE)

ARTICLES: Final = frozenset({"the", "a", "an"})
_LEADING: Final = (
    "it its it's this that that's these they he she there here answer so well yes no sure ok okay then "
    "only just about approximately exactly called named known city town capital currency "
    "indeed also usually officially"
)
LEAD: Final = frozenset(_LEADING.split())
_STOPPING: Final = (
    "is are was were be been has have had which who where when that because since so as and or but with in "
    "on at for from by to than into located situated if while also not its it this these they then after "
    "before equals"
)
STOPS: Final = frozenset(_STOPPING.split())
_COUNTING: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
UNITS: Final = _COUNTING.split()
_TENFOLD: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
TENS: Final = _TENFOLD.split()


LONGEST_CODE: Final = 3
"""Symbols of elements have one or two letters, codes of countries two or three."""

Known = Sequence[tuple[str, str]]
"""Spelling and the class that it belongs to."""


@dataclass(frozen=True, kw_only=True)
class AnswerClass:
    """What one reply says.

    Parameters
    ----------
    end
        The answer class: the first accepted answer, the lure, or the normalised wrong answer; None for an
        abstention or an unparsed reply.
    status
        `ANSWERED`, `ABSTAINED` or `UNPARSED`.
    right
        Whether it is accepted; False for an abstention and an unparsed reply, None where nothing is accepted.
    """

    end: str | None
    status: Status
    right: bool | None


def classify(
    reply: str, *, question: str, accepted: tuple[str, ...], lure: str | None, form: str | None
) -> AnswerClass:
    """Say which answer a reply gives.

    Parameters
    ----------
    reply
        Any text.
    question
        What was asked, in the wording that was sent: its words are not an answer.
    accepted
        Right answers with their other spellings, the first one names the class; () where there is no anchor.
    lure
        A known wrong answer, or None.
    form
        What is asked for: ``"name"``, ``"number"``, ``"code"``, ``"list"``, ``"choice"``, or None for a name.

    Returns
    -------
    AnswerClass
        Total: every text has a class or a status that says why not.

    References
    ----------
    Normalisation without articles, case and punctuation: Rajpurkar, Zhang, Lopyrev, Liang (2016), SQuAD,
    arXiv:1606.05250, section 6.1.

    Notes
    -----
    Its error on hand-read replies is in ``docs/canonicaliser.md``. A reply that names two answers has the
    class of the first.

    Examples
    --------
    >>> def ask(reply):
    ...     q = "What is the capital of Australia?"
    ...     got = classify(reply, question=q, accepted=("Canberra",), lure="Sydney", form="name")
    ...     return got.end, got.right
    >>> ask("The capital of Australia is Canberra."), ask("sydney, Australia"), ask("I don't know.")
    (('Canberra', True), ('Sydney', False), (None, False))
    """
    known = [(text, accepted[0]) for text in accepted] + ([(lure, lure)] if lure is not None else [])
    asked = frozenset(_words(question))
    if _known(reply, known) is None and _abstains(reply):
        return AnswerClass(end=None, status=Status.ABSTAINED, right=False if accepted else None)
    for sentence in _sentences(reply, question):
        end = _answer(_without_echo(sentence, asked, known), asked, known, form or "name")
        if end is not None and _known(end, known) is None and _abstains(end):
            return AnswerClass(end=None, status=Status.ABSTAINED, right=False if accepted else None)
        if end is not None:
            return AnswerClass(
                end=end, status=Status.ANSWERED, right=end == accepted[0] if accepted else None
            )
    return AnswerClass(end=None, status=Status.UNPARSED, right=False if accepted else None)


# the keys of one panel are asked for again with every reply
@lru_cache(maxsize=2048)
def normalised(text: str) -> str:
    """Return a text without case, accents, punctuation and leading articles, its words one space apart.

    Examples
    --------
    >>> normalised("  The São-Tomé, St. John’s ")
    'sao tome st john'
    """
    return " ".join(_drop_articles(_words(text)))


def _abstains(reply: str) -> bool:
    start = unicodedata.normalize("NFKC", reply).replace("’", "'").strip().casefold()[:120]
    return ABSTENTION.search(re.split(r"[\n]|(?<=[.!?])\s", start, maxsplit=1)[0]) is not None


def _sentences(reply: str, question: str) -> list[str]:
    """Return the sentences of the first lines that may hold an answer, echoes of the question left out."""
    asked = normalised(question)
    sentences = []
    for line in unicodedata.normalize("NFKC", reply).splitlines():
        for sentence in END_OF_SENTENCE.split(MARKER.sub("", line)):
            words = normalised(sentence)
            if words and words != asked and not PREAMBLE.match(sentence):
                sentences.append(sentence.strip())
    return sentences[:2]


def _without_echo(sentence: str, asked: frozenset[str], known: Known) -> str:
    """Return the side of "A is B" that does not repeat the question."""
    padded = f" {sentence} "
    found = COPULA.search(padded)
    if found is None:
        return sentence
    left, right = padded[: found.start()].strip(), padded[found.end() :].strip()
    left_words, right_words = _words(left), _words(right)
    if not right_words or (left_words and _answers_first(left, right, asked, known)):
        return left
    aside = ASIDE.search(right)
    again = COPULA.search(f" {right} ")
    # a verb behind a comma belongs to a remark on the answer, not to the answer
    if aside is not None and again is not None and left_words and aside.start() < again.start():
        return right
    return _without_echo(right, asked, known)


def _answers_first(left: str, right: str, asked: frozenset[str], known: Known) -> bool:
    """Say whether the answer stands before the verb: "Canberra is the capital"."""
    left_words, right_words = _words(left), _words(right)
    left_share, right_share = _share(left_words, asked), _share(right_words, asked)
    repeats = right_share >= SUBJECT_SHARE and len(right_words) > 1
    # "9.9 is larger than 9.11": both sides repeat the question, but one of them is an answer to it
    if _known(left, known) is not None and repeats:
        return True
    if left_share >= SUBJECT_SHARE and (left_share, len(left_words)) >= (right_share, len(right_words)):
        return False
    return repeats or left_share == 0


def _share(words: Sequence[str], asked: frozenset[str]) -> float:
    common = asked | ARTICLES | LEAD
    return sum(word in common for word in words) / len(words)


def _answer(span: str, asked: frozenset[str], known: Known, form: str) -> str | None:
    if form == "number":
        return _number_class(span, known)
    if form == "list":
        return _list_class(span, known)
    whole = _known(span, known)
    if whole is not None:
        return whole
    for head in _heads(span):
        words = _words(head)
        # "CAPITAL0" is two words only once it is read
        while len(words) > 1 and words[0] in LEAD | ARTICLES:
            words = words[1:]
        if form == "code" and words and len(words[0]) <= LONGEST_CODE:
            words = words[:1]
        end = _known(" ".join(words), known)
        if end is not None:
            return end
        if words and not all(word in asked | LEAD for word in words):
            return _label(words, form)
    echo = _drop_articles(_words(span))
    return _label(echo, form) if echo else None


def _heads(span: str) -> list[str]:
    """Return the phrases that may be the answer, first one first; "Washington, D.C." begins with one."""
    heads = []
    for phrase in BREAK.split(span):
        words = CITY_OF.sub("", phrase.strip()).split()
        while len(words) > 1 and _plain(words[0]) in LEAD | ARTICLES:
            words = words[1:]
        cut = next((at for at, word in enumerate(words) if at and _plain(word) in STOPS), len(words))
        if words:
            heads.append(" ".join(words[:cut]))
    return heads


def _known(head: str, known: Known) -> str | None:
    key = normalised(head)
    return next((name for text, name in known if normalised(text) == key), None)


def _label(words: Sequence[str], form: str) -> str:
    joined = " ".join(words)
    return joined.upper() if form == "code" else joined.title()


def _number_class(span: str, known: Known) -> str | None:
    value = _first_number(span)
    if value is None:
        return None
    return next((name for text, name in known if _first_number(text) == value), value)


def _first_number(text: str) -> str | None:
    """Return the first number as digits, whether it is written in digits or in words."""
    digits = NUMBER.search(text)
    words = re.finditer(r"[a-z]+(?:[- ][a-z]+)?", text.casefold())
    spelled = next(((m.start(), v) for m in words if (v := _spelled(m.group())) is not None), None)
    if digits is None:
        return None if spelled is None else spelled[1]
    if spelled is not None and spelled[0] < digits.start():
        return spelled[1]
    plain = re.sub(r"[,  ]", "", digits.group().replace("−", "-"))
    whole, _, rest = plain.partition(".")
    sign = "-" if whole.startswith("-") else ""
    whole = whole.lstrip("-").lstrip("0") or "0"
    rest = rest.rstrip("0")
    return f"{'' if whole == '0' and not rest else sign}{whole}{'.' if rest else ''}{rest}"


def _spelled(text: str) -> str | None:
    parts = re.split(r"[- ]", text)
    if parts[0] in UNITS:
        return str(UNITS.index(parts[0]))
    if parts[0] in TENS:
        unit = UNITS.index(parts[1]) if len(parts) == 2 and parts[1] in UNITS[1:10] else 0
        return str(10 * TENS.index(parts[0]) + 20 + unit)
    return None


def _list_class(span: str, known: Known) -> str | None:
    parts = re.findall(r"-?\d+(?:\.\d+)?", span) or [
        word for word in _words(span) if word not in STOPS | ARTICLES | LEAD
    ]
    if not parts:
        return None
    joined = ", ".join(parts)
    return next((name for text, name in known if _list_class(text, ()) == joined), joined)


def _words(text: str) -> list[str]:
    return [_plain(word) for word in WORD.findall(unicodedata.normalize("NFKC", text))]


# replies of one panel share most of their words
@lru_cache(maxsize=8192)
def _plain(word: str) -> str:
    """Return a word without case, accents, apostrophes and the s of a genitive."""
    bare = re.sub(r"['’`ʻ]", "", re.sub(r"['’]s$", "", word.casefold()))
    bare = unicodedata.normalize("NFKD", bare)
    return "".join(sign for sign in bare if not unicodedata.combining(sign))


def _drop_articles(words: Sequence[str]) -> list[str]:
    kept = list(words)
    while len(kept) > 1 and kept[0] in ARTICLES:
        kept = kept[1:]
    return kept

"""Which sentences of a pasted text can be checked, and what kind of statement is each?

Rules on the words alone, the same every time: nothing is understood here, so every draft is read by a person.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

MOST: Final = 6
"""Statements taken from one text."""
FEWEST_WORDS: Final = 5

_END: Final = re.compile(r"[.!?][\"”’')\]]*(?=\s+[\"“‘'(\[]?[^\W_])")
_LABEL: Final = re.compile(r"^\s*(?:#+\s*)?(?:abstract|summary)\s*[:.—–-]*\s*", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")


def _any(*lines: str) -> re.Pattern[str]:
    """Match any of some phrases as whole words."""
    return re.compile(rf"\b(?:{'|'.join(lines)})\b", re.IGNORECASE)


_PROTECTED: Final = re.compile(
    r"\b(?:e\.g|i\.e|et al|cf|vs|resp|approx|Figs?|Eqs?|Secs?|Tab|Refs?|No|Dr|Prof|St|ca|incl|viz|"
    r"w\.r\.t|a\.k\.a|[A-Z])\.$"
)
_THAT: Final = (
    r"(?:show|find|found|prove|demonstrate|observe|report|establish|reveal|confirm|conclude|indicate|suggest|"
    r"argue|conjecture|hypothesi[sz]e)s?\s+that\s+"
)
_LEAD: Final = re.compile(
    r"^(?:(?:\w+ly|furthermore|moreover|in addition|in particular|overall|first|second|third|also|thus|hence|"
    r"therefore|in short|to this end|in this (?:work|paper|study)|here),?\s+)*"
    r"(?:we|our (?:results|findings|experiments|analysis|study|work)|this (?:paper|work|study)|"
    r"(?:the )?(?:results|experiments|findings)|extensive experiments)\s+"
    rf"(?:\w+ly\s+|also\s+|further\s+|then\s+)?{_THAT}",
    re.IGNORECASE,
)
_TAIL: Final = re.compile(rf"^.*?(?:\band|,)\s+(?:\w+ly\s+|also\s+|then\s+)?{_THAT}", re.IGNORECASE)
_RESULT: Final = _any(
    r"show\w*|finds?|found|prov(?:e[sdn]?|ing)|demonstrat\w+|observ\w+|reveal\w*|confirm\w*|establish\w*",
    r"outperform\w*|increas\w+|decreas\w+|reduc\w+|improv\w+|rais\w+|lower\w*|shrink\w*|grow\w*|depend\w*",
    r"lead\w* to|caus\w+|predict\w*|correlat\w+|converg\w+|collaps\w+|fail\w*|cannot|never|always|need\w*",
    r"requir\w+|achiev\w+|surpass\w*|match\w*|remain\w*|generali[sz]\w+|transfer\w*|emerg\w+|result\w* in",
    r"follow\w*|scal\w+ with|is|are",
)
_COMPARED: Final = _any(
    r"more|less|fewer|greater|larger|smaller|higher|lower|better|worse|faster|slower|than|compared",
    r"relative to|both|neither|only|without|unlike|whereas|while|but",
)
_MADE: Final = _any(
    r"(?:we|this (?:paper|work|study)|the paper)\s+(?:\w+ly\s+|also\s+|then\s+)?(?:propos|introduc|present|"
    r"develop|describ|stud(?:y|ies)|investigat|explor|examin|consider|address|revisit|ask|survey|review|discuss|"
    r"aim|releas|provid|formali[sz]|train|us)\w*"
)
_BACKGROUND: Final = _any(
    r"remains? (?:unclear|open|unknown|elusive|a challenge)|(?:little|not much) is known|promis(?:e|es|ing)",
    r"recently|recent (?:work|years|advances|progress)|has become|have become|widely",
    r"an open (?:question|problem)",
)
_HANGING: Final = re.compile(
    r"^(?:its?|they|their|this|these|those|that|such|he|she|here|however|but|and|so|yet|then|there|both)\b|"
    r"\b(?:our|we|us|this (?:paper|work|study|method|approach)|the (?:proposed|former|latter|framework)|"
    r"above|below)\b",
    re.IGNORECASE,
)
_OPINION: Final = _any(
    r"we (?:argue|believe|advocate|contend|call for|maintain)|(?:paper|work|essay) argues|in our view",
    r"position paper|should|ought to|it is time|must (?:stop|start|be (?:taken|made|treated))",
)
_WHERE: Final = re.compile(
    r"\b(?:code|data(?:sets?)?|models?|weights|checkpoints?|implementation|page|website|demo|videos?|material)\b"
    r".{0,60}\b(?:available|released|open-sourced|found|hosted|accessible)\b.{0,30}"
    r"(?:\bat (?:https?:|www\.|this)|\bhere\b|\bon github\b|https?:|www\.)|"
    r"\b(?:is|are) (?:publicly|freely|openly) available\b|^\W*(?:project page|code|data)\s*:",
    re.IGNORECASE,
)
"""Where something can be had is no statement."""
_GUESS: Final = _any(
    r"suggest\w*|may|might|could|likely|perhaps|possibly|appears? to|seems?|hypothesi[sz]\w*|conjectur\w*",
    r"speculat\w*|indicat\w+|presumably|potentially",
)
_DEFINITION: Final = _any(
    r"(?:is|are) (?:defined|called|termed|denoted)|we (?:define|call|term|denote)|refers? to|denotes?",
    r"by .{1,40} we mean",
)
_THEOREM: Final = _any(r"theorems?|lemmas?|prove[sdn]?|proofs?|axiom\w*|necessary and sufficient")
_NAMED: Final = _any(
    r"(?:gpt|chatgpt|claude|gemini|llama|mistral|qwen|deepseek|grok|o[13]|leaderboard|benchmark|"
    r"state[- ]of[- ]the[- ]art|sota)s?(?:[-\d.]\w*)*"
)


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A sentence worth checking.

    `hangs` says that it leans on what stands around it ("it", "our method"): it cannot stand alone yet.
    """

    text: str
    modality: str
    hangs: bool
    score: float


def sentences_of(text: str) -> list[str]:
    """Cut a text into sentences; abbreviations, initials and decimals do not end one.

    Examples
    --------
    >>> sentences_of("Loss fell by 0.5 (e.g. GPT-2 et al. 2019). Why? It did.")
    ['Loss fell by 0.5 (e.g. GPT-2 et al. 2019).', 'Why?', 'It did.']
    """
    plain = " ".join(_LABEL.sub("", _printable(text)).split())
    found, begin = [], 0
    for end in _END.finditer(plain):
        if _PROTECTED.search(plain[max(begin, end.start() - 12) : end.start() + 1]):
            continue
        found.append(plain[begin : end.end()].strip())
        begin = end.end()
    return [sentence for sentence in [*found, plain[begin:].strip()] if sentence]


def statements_of(text: str, *, most: int = MOST) -> tuple[Statement, ...]:
    """Choose the sentences of a text that state something a run or a reader could find wrong.

    Parameters
    ----------
    text
        An abstract, or prose.
    most
        How many at most, 1 or more.

    Returns
    -------
    tuple
        In the order of the text: results before what was merely done, questions never; at least the best
        one where there is any.

    Examples
    --------
    >>> text = "We propose a rule. We show that forgetting grows with the step size. Does it matter?"
    >>> [one.text for one in statements_of(text)]
    ['Forgetting grows with the step size.']
    """
    found = [_statement(sentence) for sentence in sentences_of(text) if _worth(sentence)]
    best = sorted(range(len(found)), key=lambda place: (-found[place].score, place))
    kept = [place for place in best[:most] if found[place].score > 0] or best[:1]
    return tuple(found[place] for place in sorted(kept))


def modality_of(sentence: str) -> str:
    """Propose what kind of statement a sentence is, by its cue words.

    Examples
    --------
    >>> modality_of("We argue that scale is not enough."), modality_of("Loss falls by 3 %.")
    ('opinion', 'finding')
    """
    for kind, cues in (("definition", _DEFINITION), ("opinion", _OPINION), ("inference", _GUESS)):
        if cues.search(sentence):
            return kind
    return "finding"


def half_life_of(text: str) -> int:
    """Propose after how many days a note is worth half: theorems last, named models do not.

    Examples
    --------
    >>> half_life_of("We prove a theorem."), half_life_of("GPT-4 leads."), half_life_of("Loss falls.")
    (3650, 365, 730)
    """
    if _NAMED.search(text):
        return 365
    return 3650 if _THEOREM.search(text) else 730


def one_line(text: str) -> str:
    """Return a text in one line, without letters that cannot be seen."""
    return " ".join(_printable(text).split())


def _printable(text: str) -> str:
    """Drop what no terminal shows: control and format characters, halves of characters."""
    kept = (
        letter
        if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn")
        else " "
        for letter in unicodedata.normalize("NFC", text.replace("\u00ad", ""))
    )
    return "".join(kept)


def _worth(sentence: str) -> bool:
    told = not sentence.endswith("?") and _WHERE.search(sentence) is None
    return told and len(sentence.split()) >= FEWEST_WORDS


def _statement(sentence: str) -> Statement:
    text = _alone(sentence)
    return Statement(
        text=text,
        modality=modality_of(sentence),
        hangs=_HANGING.search(text) is not None,
        score=_score(sentence, text),
    )


def _alone(sentence: str) -> str:
    """Take off "We show that", or what was made before "and show that": what follows can stand alone."""
    lead = _LEAD.match(sentence) or (_TAIL.match(sentence) if _MADE.search(sentence) else None)
    rest = sentence[lead.end() :] if lead else sentence
    rest = rest[:1].upper() + rest[1:]
    return rest if rest.endswith((".", "!", '"', "”", ")")) else f"{rest}."


def _score(sentence: str, text: str) -> float:
    score = 2.0 * (len(text) < len(sentence) - 2)  # something was taken off: a result follows "show that"
    score += 1.0 * bool(_RESULT.search(text)) + 1.0 * bool(_COMPARED.search(text))
    score += 1.0 * bool(_NUMBER.search(text)) + 0.5 * (modality_of(sentence) == "definition")
    return (
        score
        - 2.5 * bool(_MADE.search(text))
        - 2.0 * bool(_BACKGROUND.search(text))
        - bool(_HANGING.search(text))
    )

"""Which proper names does a question hold: products and versions, sources by number, authors, numbers?

What is asked by name must be found by that name: "GPT-5" is no other word for a language model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from limitset.library.inquiry.word_lists import listed_words

ARXIV: Final = re.compile(r"(?:\barxiv[:\s]*)?(?<![\w.])(\d{4}\.\d{4,5})(?:v\d+)?(?![\w.]*\d)", re.IGNORECASE)
DOI: Final = re.compile(r"(?:\bdoi[:\s]*)?(?<![\w.])(10\.\d{4,9}/[^\s?,;]+)", re.IGNORECASE)
_SERIES: Final = (
    r"(?:chat)?gpt|llama|claude|gemini|gemma|mistral|mixtral|qwen|deepseek|grok|copilot|kimi|minimax|olmo|pythia|"
    r"smollm|bert|jax|pytorch|tensorflow|flax|vicuna|alpaca|perplexity|midjourney|dall-?e|sora|nemotron|chatglm|internlm"
)
_EDITION: Final = (
    r"opus|sonnet|haiku|flash|pro|turbo|mini|nano|large|small|medium|"
    r"instruct|coder|chat|max|ultra|linear|next"
)
_NUMBERED: Final = r"[vkromh]?\d+(?:\.\d+)?[a-z]?\b"
PRODUCT: Final = re.compile(
    rf"\b(?:{_SERIES})(?:[- ]?{_NUMBERED}|(?!\w))(?:[- ](?:(?:{_EDITION})\b|{_NUMBERED}))*",
    re.IGNORECASE,
)
VERSION: Final = re.compile(
    r"\b(?:[A-Za-z]{1,12}\d+(?:\.\d+)?[A-Za-z]?|[A-Z][A-Za-z]{1,15}[- ]\d+(?:\.\d+)?[A-Za-z]?)\b"
)
NUMBER: Final = re.compile(r"(?<![\w.])\d+[.,]\d+(?![\w.]*\d)")
PROPER: Final = re.compile(r"\b(?:[A-Z][a-z]{2,}(?:[A-Z][a-z]+)*|[a-z]+[A-Z]\w*|[A-Z]{2,}s?)\b")
_YEAR: Final = re.compile(r"(?:19|20)\d\d$")
_TITLE_CASE: Final = 0.8
"""Share of capitals, of the words behind the first, from which they say nothing."""


@dataclass(frozen=True)
class Named:
    """A name in a question: how it is written, where, and of which kind.

    `kind` is "source" (a number of arXiv or a DOI), "product", "version", "number" or "proper".
    """

    text: str
    start: int
    end: int
    kind: str


def names_in(text: str) -> list[Named]:
    """Return the names of a question in order, none inside another.

    Examples
    --------
    >>> [one.text for one in names_in("Does GPT-5 beat Llama 3 or R1 by 63.8 points, as 2604.15259 says?")]
    ['GPT-5', 'Llama 3', 'R1', '63.8', '2604.15259']
    >>> [(one.text, one.kind) for one in names_in("Is what Wittgenstein said of GPUs true?")]
    [('Wittgenstein', 'proper'), ('GPUs', 'proper')]
    """
    found: list[Named] = []
    for one in _candidates(text):
        if all(one.end <= other.start or one.start >= other.end for other in found):
            found.append(one)
    return sorted(found, key=lambda one: one.start)


def _candidates(text: str) -> Iterator[Named]:
    for form in (DOI, ARXIV):
        for found in form.finditer(text):
            yield Named(found[1].rstrip(".)"), found.start(), found.end(), "source")
    for found in PRODUCT.finditer(text):
        yield Named(found[0], found.start(), found.end(), "product")
    for found in VERSION.finditer(text):
        head = re.match(r"[A-Za-z]+", found[0])
        first = head is not None and head[0].lower() in listed_words("stop") | listed_words("common")
        if not first and not _YEAR.search(found[0]) and not _begins(text, found.start(), found[0]):
            yield Named(found[0], found.start(), found.end(), "version")
    for found in NUMBER.finditer(text):
        yield Named(found[0], found.start(), found.end(), "number")
    behind = [word for word in re.findall(r"[^\W\d_]+", text)[1:] if len(word) > 3]
    if sum(word[0].isupper() for word in behind) >= max(_TITLE_CASE * len(behind), 3):
        return
    for found in PROPER.finditer(text):
        inner = not found[0][1:].islower()
        if inner or not _begins(text, found.start(), ""):
            yield Named(found[0], found.start(), found.end(), "proper")


def _begins(text: str, start: int, name: str) -> bool:
    """Whether a name stands where every word has a capital; one with a digit in its first word never does."""
    if name and re.match(r"[A-Za-z]+-?\d", name):
        return False
    return not text[:start].strip() or text[:start].rstrip()[-1] in ".?!:“\"'‘("

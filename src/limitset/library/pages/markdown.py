"""How do an answer and a claim read as Markdown, whatever their texts hold?"""

from __future__ import annotations

import re
from collections.abc import Sequence

from limitset.charts.shown import visible
from limitset.library.holdings.records import Claim, Verdict
from limitset.library.inquiry.answer import Answer, Relation, Sentence
from limitset.library.pages.answer_sources import BORN_WORDS, access_words
from limitset.library.pages.answer_wording import Change, facet_words, percent, standing
from limitset.library.pages.wording import (
    CURRENT,
    MARK_WORDS,
    again,
    effect_words,
    readable,
    state_words,
    verdict_standing,
)
from limitset.report.passages import Standing, followable


def answer_markdown(answer: Answer, *, before: Answer | None = None) -> str:
    """Write an answer as Markdown: label, sentences with their ids, what is missing, sources, next lines.

    Parameters
    ----------
    answer
        What the holdings say.
    before
        What they said earlier: both labels stand on top, and new sentences are marked.

    Returns
    -------
    str
        Text of notes and of the user is escaped; ids stand as code.
    """
    change = None if before is None else Change(before, answer)
    new = () if change is None else change.new
    parts = [f"# {escaped(answer.question)}", *_standings(answer, before)]
    if change is not None:
        parts.append(escaped(change.words))
    reading = " ".join(one for one in (answer.explores, answer.reads_as) if one)
    parts += [f"*{escaped(reading)}*"] if reading else []
    parts += _section("What is held", [_said(one, new) for one in answer.sentences])
    if answer.surprise is not None:
        parts += _section("What the question did not ask for", [_said(answer.surprise, ())])
    parts += _section("What is missing", [escaped(facet_words(one)) for one in answer.missing])
    parts += _section("Coverage", _facets(answer, before), bullet="")
    parts += _section(
        "What contradicts what", [" against ".join(map(code, pair)) for pair in answer.contradictions]
    )
    parts += _section("Rival claims", [" against ".join(map(code, pair)) for pair in answer.rivals])
    parts += _section("Used though its time has passed", [code(one) for one in answer.stale])
    parts += _section(f"Sources ({answer.independent} independent)", _sources(answer))
    parts += _section("Next inquiring lines", _lines(answer))
    parts += _section(
        "Found and not used", [f"{code(name)}: {escaped(why)}" for name, why in answer.withheld]
    )
    if answer.prompt:
        parts += ["## Research prompt", fenced(answer.prompt)]
    searched = f"{answer.search.statements} statements searched; holdings {code(answer.holdings)}"
    parts.append(f"{searched}; {escaped(answer.date)}.")
    return "\n\n".join(parts) + "\n"


def claim_markdown(claim: Claim, verdict: Verdict | None, *, state: str = CURRENT) -> str:
    """Write a claim with its newest verdict as Markdown.

    Parameters
    ----------
    claim, verdict
        What is claimed, and what the newest run said of it, if any.
    state
        How that verdict stands today.

    Returns
    -------
    str
        Statement, verdict, rule, controls, what would settle it, and the line that runs it.
    """
    parts = [f"# {escaped(claim.statement)}", _standing(verdict_standing(verdict, state))]
    if verdict is not None and state != CURRENT:
        parts.append(
            escaped(state_words(verdict, state, verdict.date)) if state != "expired" else "**Expired.**"
        )
    if verdict is not None:
        numbers = [f"{escaped(effect_words(one))}: **{one.verdict}**" for one in verdict.effects]
        parts += _section("Measured", numbers)
        controls = [
            f"{escaped(str(one.get('name')))} ({escaped(str(one.get('kind')))}): "
            f"{'passed' if one.get('passed') else '**missed**'}"
            for one in verdict.controls
        ]
        parts += _section("Controls", controls)
        if verdict.would_settle:
            parts += ["## What would settle it", escaped(verdict.would_settle)]
        parts.append(
            f"On {escaped(verdict.system)}; {readable(verdict.date)}, until {readable(verdict.expires_on)}."
        )
    rule = [f"{escaped(one.words)}: holds if {one.holds}, fails if {one.fails}" for one in claim.tests]
    parts += _section("The rule, fixed beforehand", rule)
    if claim.plan:
        parts += ["## The protocol, written out", fenced(claim.plan)]
    else:
        parts += ["## Run it", fenced(again(claim))]
    rests = [code(one) for one in claim.atoms]
    parts += _section("What it rests on", rests)
    parts += _section("Rivals", [code(one) for one in claim.rivals])
    parts += _section("What may be wrong with it", [escaped(one) for one in claim.confounds])
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    r"""Return text that Markdown shows as it is: no markup, no link, no heading, no HTML.

    Examples
    --------
    >>> print(escaped("# <b>*x*</b> [a](b)"))
    \# \<b\>\*x\*\</b\> \[a\](b)
    """
    safe = re.sub(r"([\\`*_\[\]<>|~&])", r"\\\1", visible(text).strip())
    return re.sub(r"^(\d+(?=[.)])|(?=[-+#=]))", r"\1\\", safe)


def code(text: str) -> str:
    """Return text as a code span that it cannot leave.

    Examples
    --------
    >>> code("a`b")
    '``a`b``'
    """
    inside = visible(text).strip() or " "
    runs = [len(run) for run in re.findall("`+", inside)]
    fence = "`" * (max(runs, default=0) + 1)
    room = " " if inside[0] == "`" or inside[-1] == "`" else ""
    return f"{fence}{room}{inside}{room}{fence}"


def fenced(text: str) -> str:
    """Return text as a code block that it cannot leave."""
    lines = [visible(line) for line in text.splitlines()]
    runs = [len(run) for line in lines for run in re.findall("`+", line)]
    fence = "`" * max(3, max(runs, default=0) + 1)
    return "\n".join([f"{fence}text", *lines, fence])


def _standings(answer: Answer, before: Answer | None) -> list[str]:
    if before is None:
        return [_standing(standing(answer))]
    return [_standing(standing(before, when="Before")), _standing(standing(answer, when="Now"))]


def _standing(one: Standing) -> str:
    when = f"{one.when}: " if one.when else ""
    return f"{when}**{escaped(one.word)}**{f': {escaped(one.text)}' if one.text else ''}"


def _section(title: str, lines: Sequence[str], *, bullet: str = "- ") -> list[str]:
    return [f"## {title}", "\n".join(f"{bullet}{line}" for line in lines)] if lines else []


def _said(one: Sentence, new: Sequence[Sentence]) -> str:
    marks = [MARK_WORDS.get(mark, mark) for mark in one.marks]
    marks += (
        [MARK_WORDS["inference"]]
        if one.relation is Relation.COMBINES and "inference" not in one.marks
        else []
    )
    marks = ["contradiction", *marks] if one.relation is Relation.CONTRASTS else marks
    marks = ["new", *marks] if one in new else marks
    told = f" *({escaped('; '.join(marks))})*" if marks else ""
    return f"{escaped(one.text)}{told}{''.join(f' {code(cite)}' for cite in one.cites)}"


def _facets(answer: Answer, before: Answer | None) -> list[str]:
    was = {} if before is None else {one.name: one.covered for one in before.facets}
    head = ["asked about", *(["before"] if before else []), "coverage", "best held"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for one in answer.facets:
        earlier = [percent(was.get(one.name, 0.0))] if before else []
        by = code(one.by) if one.by else "nothing held"
        cells = [escaped(facet_words(one.name)), *earlier, percent(one.covered), by.replace("|", "\\|")]
        lines.append(f"| {' | '.join(cells)} |")
    return lines if answer.facets else []


def _sources(answer: Answer) -> list[str]:
    found = []
    for one in answer.sources:
        title = f"[{escaped(one.title)}](<{one.link}>)" if followable(one.link) else escaped(one.title)
        facts = "; ".join(str(fact) for fact in (one.year, access_words(one)) if fact)
        found.append(f"{code(one.id)} {title} ({escaped(facts)}). {escaped(one.gist)}".rstrip())
    return found


def _lines(answer: Answer) -> list[str]:
    found = []
    for one in answer.next_lines:
        command = f" {code(one.command)}" if one.command else ""
        found.append(
            f"{escaped(one.question)} ({escaped(BORN_WORDS.get(one.born_of, one.born_of))}){command}"
        )
    return found

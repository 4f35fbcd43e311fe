"""With which prompt can the reader's own model go on from here?

Every count in it is that of the list it stands above.
"""

from __future__ import annotations

from collections.abc import Sequence

from limitset.library.inquiry.answer import Label, Sentence, UsedSource

_TASKS = (
    "Search for work that bears on the durable question, first of all for the strongest work of the last six "
    "months that contradicts a finding below.",
    "Re-test each finding: say for each whether newer models, training methods, harnesses or measurements "
    "have dissolved it, and keep the durable question apart from the limitation that may have perished.",
    "Propose two research questions that would change the answer, each with what would falsify it.",
)


def research_prompt(
    *,
    question: str,
    date: str,
    label: Label,
    durable: Sequence[str],
    findings: Sequence[tuple[Sentence, str]],
    sources: Sequence[UsedSource],
    missing: Sequence[str],
) -> str:
    """Write the prompt.

    Parameters
    ----------
    question, date, label
        What was asked, when, and how well it was answered.
    durable
        The questions behind what was used, which outlast any finding.
    findings
        Sentences with the day and the scope they speak of.
    sources
        What stands behind them.
    missing
        Of what nothing is held.
    """
    lines = [
        "You are a careful research assistant. Treat what follows as dated claims, not as current truth.",
        "",
        f"Question: {question}",
    ]
    if durable:
        lines += [
            "",
            f"Durable {_counted(len(durable), 'question')} behind it:",
            *(f"- {one}" for one in durable),
        ]
    lines += ["", f"A library of dated notes and runs answered it on {date}; its label is {label.value}."]
    if findings:
        lines += [f"{_counted(len(findings), 'finding').capitalize()} of that library:"]
        for number, (sentence, when) in enumerate(findings, start=1):
            marks = f" ({', '.join(sentence.marks)})" if sentence.marks else ""
            lines.append(f"{number}. {sentence.text}{marks} [{'; '.join(sentence.cites)}; {when}]")
    else:
        lines += ["It holds nothing that answers it."]
    if sources:
        lines += [
            "",
            f"{_counted(len(sources), 'anchor').capitalize()}, each to be verified before it is used:",
        ]
        for one in sources:
            where = one.link or "no identifier"
            opened = "opened" if one.access != "secondary" else "not opened by the library"
            lines.append(f"- {one.title} ({one.year}), {where}, {opened}. Verify.")
    if missing:
        lines += [
            "",
            f"Nothing is held of {_counted(len(missing), 'thing')}:",
            *(f"- {one}" for one in missing),
        ]
    lines += ["", f"{_counted(len(_TASKS), 'task').capitalize()}:"]
    lines += [f"{number}. {task}" for number, task in enumerate(_TASKS, start=1)]
    lines += ["", "Give an arXiv number or a DOI for everything, and flag whatever you can not ground."]
    return "\n".join(lines)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"

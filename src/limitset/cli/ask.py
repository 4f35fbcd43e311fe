"""`limitset ask`: what the library holds on a question, and what it does not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limitset.cli.claims import AsJson, Folder, opened
from limitset.cli.output import console, print_json, today

if TYPE_CHECKING:
    import datetime as dt

    from limitset.library.holdings.library import Library
    from limitset.library.inquiry.answer import Answer


def ask(
    question: Annotated[str, typer.Argument(help="A question, in quotes.")],
    before: Annotated[str, typer.Option(help="Compare with what was held on a day: 2026-11-21.")] = "",
    as_of: Annotated[str, typer.Option(help="Answer only from what was held on a day.")] = "",
    run: Annotated[
        bool, typer.Option("--run", help="First re-test the claims that the answer rests on.")
    ] = False,
    tier: Annotated[str, typer.Option(help="With --run: quick, normal or full.")] = "quick",
    rephrase: Annotated[
        str, typer.Option(help="A model that may rephrase; each sentence passes the checks or falls back.")
    ] = "",
    embed: Annotated[str, typer.Option(help="Folder of a sentence encoder, to search also by meaning.")] = "",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the page to this file.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown.")] = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question from the library and from nothing else; say thin where it is thin.

    Every sentence names the note or the verdict that carries it. Nothing is sent anywhere.

    For example:

      limitset ask "How do normalization and input injection control the emergence of fixed points?"

      limitset ask "Does agreement between runs mean that they are right?" --run

      limitset ask "Is forgetting a jump?" --before 2026-11-21 --out answer.html
    """
    from limitset.core.errors import InputError
    from limitset.library.holdings.dated import day_of
    from limitset.library.inquiry.asking import ask as asked

    day = day_of(today())
    library = opened(folder, as_of=day_of(as_of) if as_of else None)
    embedder, reworded = _embedder(embed), _rephraser(rephrase)
    answer = asked(question, library=library, today=day, embedder=embedder, rephrase=reworded)
    if not answer.facets:
        raise InputError.of(
            expected="a question names what it is about",
            got=repr(question),
            fix='For example "Is agreement a sign of truth?".',
        )
    earlier = None
    if run:
        earlier = answer
        _retest(answer, library, day=day, tier=tier)
        library = opened(folder)
        answer = asked(question, library=library, today=day, embedder=embedder, rephrase=reworded)
    if before:
        earlier = asked(question, library=library.on(day_of(before)), today=day_of(before))
    if out is not None:
        from limitset.library.pages.writing import write_answer_page

        beside = "claims/" if (out.parent / "claims").is_dir() else ""  # written by limitset library page
        write_answer_page(answer, out, library=library, before=earlier, pages=beside)
    if as_json:
        print_json({**answer.record(), **({"before": earlier.record()} if earlier else {})})
    elif markdown:
        from limitset.library.pages.markdown import answer_markdown

        sys.stdout.write(answer_markdown(answer, before=earlier) + "\n")
    else:
        from limitset.library.pages.terminal import show_answer

        show_answer(answer, console(), before=earlier, titles=_titles(answer, library))
    if out is not None:
        sys.stderr.write(f"page: {out}\n")


def _titles(answer: Answer, library: Library) -> dict[str, str]:
    """Return what each thing that stands against another says, by its id."""
    held = {name: note.title for name, note in library.notes.items()}
    held |= {note.cited(atom): atom.text for note in library.notes.values() for atom in note.atoms}
    held |= {name: claim.statement for name, claim in library.claims.items()}
    named = {one for pair in (*answer.contradictions, *answer.rivals) for one in pair}
    return {name: held[name] for name in named if name in held}


def _retest(answer: Answer, library: Library, *, day: dt.date, tier: str) -> None:
    """Run the claims that an answer rests on, or that could fill what it misses."""
    from limitset.cli.claims import _tier
    from limitset.core.exits import ExitStatus
    from limitset.library.inquiry.behind import claims_behind
    from limitset.library.judge.protocols import ProtocolStoppedError
    from limitset.library.judge.running import Wanted, put_to_test

    chosen = claims_behind(answer, library)
    if not chosen:
        sys.stderr.write("no claim that can be run bears on this question\n")
    try:
        for _ in put_to_test(
            chosen,
            library=library,
            wanted=Wanted(tier=_tier(tier)),
            today=day,
            date=today(),
            command="",
            say=_say,
        ):
            pass
    except ProtocolStoppedError as error:
        _say(f"limitset: {error}")
        raise typer.Exit(ExitStatus.INTERNAL) from error


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _embedder(name: str) -> Any:
    if not name:
        return None
    from limitset.models.embedders import open_embedder

    return open_embedder(name)


def _rephraser(name: str) -> Any:
    if not name:
        return None
    from limitset.models.opening import open_model
    from limitset.models.rewording import rewording

    return rewording(open_model(name))

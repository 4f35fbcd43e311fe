"""`limitset library`: what is held, whether it is sound, and how something new enters."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from limitset.cli.claims import AsJson, Folder, NewFolder, _stand, opened
from limitset.cli.output import console, print_json, today

app = typer.Typer(
    help="Notes, sources, claims and verdicts: check them, list them, add to them, make their pages.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def check(folder: Folder = None, as_json: AsJson = False) -> int:
    """Read every file and follow every reference; exit 1 when something is wrong.

    For example:

      limitset library check --library ./my-library
    """
    from limitset.core.exits import ExitStatus
    from limitset.library.holdings.checking import check as checked
    from limitset.library.judge.protocols import known

    library = opened(folder)
    problems = checked(library, protocols=known(library))
    fatal = [problem for problem in problems if problem.fatal]
    if as_json:
        print_json([{"file": one.file, "what": one.what, "fatal": one.fatal} for one in problems])
    else:
        for problem in problems:
            sys.stdout.write(f"{'' if problem.fatal else 'note: '}{problem}\n")
        if not fatal:
            sys.stdout.write(
                f"sound: {len(library.notes)} notes, {len(library.sources)} sources, "
                f"{len(library.claims)} claims, {len(library.histories)} with a verdict\n"
            )
    return ExitStatus.FAIL if fatal else ExitStatus.DONE


@app.command("list")
def list_notes(
    tag: Annotated[str, typer.Option(help="Only notes with this tag.")] = "",
    level: Annotated[
        str, typer.Option(help="hidden, text, answer, weights, representation, ecosystem.")
    ] = "",
    status: Annotated[str, typer.Option(help="current, perishable, stale, superseded or erratum.")] = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List notes with their tags, how they were read and how old they are.

    For example:

      limitset library list --tag normalization

      limitset library list --status erratum
    """
    library, day, _ = _stand(folder)
    chosen = [
        note
        for note in library.notes.values()
        if (not tag or tag in note.tags)
        and (not level or note.level.value == level)
        and (not status or note.status == status)
    ]
    if as_json:
        print_json([note.model_dump(mode="json") for note in chosen])
        return
    from limitset.library.pages.listings import show_notes

    show_notes(chosen, console(), library=library, today=day)


@app.command()
def add(
    source: Annotated[
        str, typer.Argument(help="An arXiv id (2604.15259), a BibTeX file or a Markdown note.")
    ],
    abstract: Annotated[
        Path | None, typer.Option(help="File with the pasted abstract; - for standard input.")
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the paper, for an arXiv id.")] = "",
    author: Annotated[list[str] | None, typer.Option(help="An author; repeat.")] = None,
    level: Annotated[str, typer.Option(help="Which map it speaks of; proposed if left out.")] = "",
    keep: Annotated[
        bool, typer.Option("--keep/--draft", help="Keep the note, or only show the draft.")
    ] = True,
    accept: Annotated[
        bool, typer.Option("--accept", help="Write what is proposed into the note at once.")
    ] = False,
    folder: NewFolder = None,
    as_json: AsJson = False,
) -> int:
    """Make a note of a paper and say what it contradicts, supersedes or makes stale in what is held.

    For example:

      limitset library add 2604.15259 --title "..." --author "A. Labovich" --abstract abstract.txt

      limitset library add references.bib

      limitset library add my-note.md
    """
    from limitset.core.exits import ExitStatus
    from limitset.library.holdings.dated import day_of
    from limitset.library.ingest.adding import add as added

    library = opened(folder, make=True)
    done = added(
        source,
        library=library,
        abstract=_text_of(abstract),
        title=title,
        authors=tuple(author or ()),
        level=level,
        keep=keep,
        accept=accept,
        today=day_of(today()),
    )
    if as_json:
        print_json(done.record())
    else:
        from limitset.library.pages.listings import show_added

        show_added(done, console())
    # what could be added is kept; what could not must not go unseen in a script
    return ExitStatus.BAD_INPUT if done.refused else ExitStatus.DONE


@app.command("accept")
def accept_proposal(
    note: Annotated[str, typer.Argument(help="A note of yours.")],
    contradicts: Annotated[
        list[str] | None, typer.Option(help="A held note that it contradicts; repeat.")
    ] = None,
    supersedes: Annotated[
        list[str] | None, typer.Option(help="A held note that it supersedes; repeat.")
    ] = None,
    same_group: Annotated[str, typer.Option(help="A held source that counts as one with its own.")] = "",
    folder: Folder = None,
) -> None:
    """Write into a note of yours what `limitset library add` proposed for it.

    For example:

      limitset library accept kalajdzievski-2024-forgetting --contradicts a11-forgetting-jump
    """
    from limitset.library.ingest.accepting import accept

    path = accept(
        note,
        library=opened(folder),
        contradicts=tuple(contradicts or ()),
        supersedes=tuple(supersedes or ()),
        same_group=same_group,
    )
    sys.stdout.write(f"accepted: {path}\n")


@app.command()
def page(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the pages.")] = Path("library"),
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the index when done.")] = False,
    folder: Folder = None,
) -> None:
    """Write the index and a page for every claim: static files that load nothing.

    For example:

      limitset library page --out library --open
    """
    from limitset.library.pages.writing import write_library_pages

    library, day, states = _stand(folder)
    path = write_library_pages(library, out, states=states, today=day)[0]
    sys.stdout.write(f"page: {path}\n")
    if open_page:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


def _text_of(path: Path | None) -> str:
    from limitset.core.errors import InputError
    from limitset.library.holdings.reading import read_text

    if path is None:
        return ""
    if str(path) == "-":
        return sys.stdin.read()
    if not path.exists():
        raise InputError.of(
            expected=f"{path} must be a text file with the abstract", got="none there", fix="Check the path."
        )
    return read_text(path)

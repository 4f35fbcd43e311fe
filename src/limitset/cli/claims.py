"""`limitset claims`: statements that can be run, and what came out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from limitset.cli.output import command_line, console, print_json, today

if TYPE_CHECKING:
    import datetime as dt

    from limitset.library.holdings.library import Library
    from limitset.library.holdings.records import Claim

app = typer.Typer(
    help="Statements that can be run: list, show, test on our systems or yours, and what changed.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Folder = Annotated[
    Path | None, typer.Option("--library", help="Your library folder; $LIMITSET_LIBRARY, or the user's.")
]
NewFolder = Annotated[
    Path | None,
    typer.Option("--library", help="Your library folder, made where there is none; or $LIMITSET_LIBRARY."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_claims(
    tag: Annotated[str, typer.Option(help="Only claims with this tag.")] = "",
    level: Annotated[
        str, typer.Option(help="hidden, text, answer, weights, representation, ecosystem.")
    ] = "",
    runnable: Annotated[bool, typer.Option("--runnable", help="Only claims that can be run now.")] = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List claims with their newest verdict, how it stands, and what of yours they take.

    For example:

      limitset claims list --runnable

      limitset claims list --level weights --json
    """
    library, _, states = _stand(folder)
    takes = _taken_by(library)
    chosen = [
        claim
        for claim in library.claims.values()
        if (not tag or tag in claim.tags)
        and (not level or claim.level.value == level)
        and (claim.runnable or not runnable)
    ]
    if as_json:
        print_json([_row(library, claim, states[claim.id], takes.get(claim.id, ())) for claim in chosen])
        return
    from limitset.library.pages.listings import show_claims

    show_claims(chosen, console(), library=library, states=states, takes=takes)


@app.command()
def show(
    claim: Annotated[str, typer.Argument(help="Id (24a), slug, or the number of a protocol.")],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show a claim: what would make it fail, its protocol or plan, and its verdicts.

    For example:

      limitset claims show 24a
    """
    library, day, states = _stand(folder)
    found = library.claims_of(claim)
    if as_json:
        print_json(
            [
                {
                    **one.model_dump(mode="json"),
                    "state": states[one.id],
                    "verdicts": [v.model_dump(mode="json") for v in library.histories.get(one.id, ())],
                }
                for one in found
            ]
        )
        return
    from limitset.library.pages.terminal import show_claim

    for one in found:
        yours = library.users_verdict(one.id)
        show_claim(one, library.verdict(one.id), console(), state=states[one.id], today=day, yours=yours)


@app.command("test")
def run_test(
    claims: Annotated[list[str] | None, typer.Argument(help="Ids, slugs or numbers of protocols.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every claim that can be run.")] = False,
    tier: Annotated[
        str, typer.Option(help="quick (a minute a protocol), normal (10) or full (45).")
    ] = "quick",
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", help="Your model: folder, hub id, packaged; where `claims list` says model."
        ),
    ] = "",
    map_: Annotated[
        str, typer.Option("--map", help="Your looped model: FILE.py:OBJECT; where it says map.")
    ] = "",
    logs: Annotated[
        Path | None, typer.Option(help="Your replies: CSV, JSONL or Parquet; where it says logs.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random draw.")] = 0,
    again: Annotated[bool, typer.Option("--again", help="Run also what was judged today.")] = False,
    gate: Annotated[
        bool, typer.Option("--gate", help="Exit 1 when a claim fails, 3 when one cannot be told.")
    ] = False,
    folder: NewFolder = None,
    as_json: AsJson = False,
) -> int:
    """Run the protocols of claims and keep the verdicts in your library.

    Stopped or killed, the same command goes on where it was.

    For example:

      limitset claims test 24a

      limitset claims test 39 --logs replies.csv

      limitset claims test 05 --model ./my-model

      limitset claims test --all --tier quick
    """
    # before torch is loaded: small nets are too small for threads
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from limitset.core.errors import LimitsetError
    from limitset.core.exits import ExitStatus
    from limitset.library.judge.protocols import ProtocolStoppedError
    from limitset.library.judge.running import Wanted, put_to_test
    from limitset.library.judge.staleness import CURRENT
    from limitset.library.pages.terminal import show_claim

    library, day, _ = _stand(folder, make=True)
    chosen = _chosen(library, claims or [], every=every)
    wanted = Wanted(tier=_tier(tier), seed=seed, model=model, map=map_, logs=logs, again=again)
    done, worst = [], ExitStatus.DONE
    # with --all one protocol that cannot run here does not keep the others from running
    for group in _by_protocol(chosen) if every else [chosen]:
        try:
            for one in put_to_test(
                group,
                library=library,
                wanted=wanted,
                today=day,
                date=today(),
                command=command_line(),
                say=_say,
            ):
                done.append(one)
                if not as_json:
                    show_claim(one.claim, one.verdict, console(), state=CURRENT, today=day)
                    console().print("  (stood already today; --again runs it anew)\n" if one.stood else "")
        except LimitsetError as error:
            if not every:
                raise
            worst = max(worst, ExitStatus.BAD_INPUT)
            _say(f"limitset: {group[0].protocol} did not run: {error}")
        except ProtocolStoppedError as error:
            worst = ExitStatus.INTERNAL
            _say(f"limitset: {error}")
    if as_json:
        print_json([one.verdict.model_dump(mode="json") for one in done])
    if worst is not ExitStatus.DONE:
        return worst
    return _gate([one.verdict.value for one in done]) if gate else ExitStatus.DONE


@app.command()
def verdicts(
    claim: Annotated[str, typer.Argument(help="Id, slug or number; all claims if left out.")] = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show the history of verdicts, yours and the built-in ones.

    For example:

      limitset claims verdicts 05
    """
    library, _, _ = _stand(folder)
    chosen = library.claims_of(claim) if claim else library.claims.values()
    histories = {one.id: library.histories.get(one.id, ()) for one in chosen}
    if as_json:
        print_json({name: [v.model_dump(mode="json") for v in found] for name, found in histories.items()})
        return
    from limitset.library.pages.listings import show_history

    for one in chosen:
        if histories[one.id] or claim:
            show_history(one, histories[one.id], console())


@app.command()
def diff(
    since: Annotated[str, typer.Option(help="A date, 2026-11-22: what changed since.")],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show which verdicts came, turned or expired since a day.

    For example:

      limitset claims diff --since 2026-11-21
    """
    from limitset.library.holdings.dated import day_of
    from limitset.library.judge.changes import changes

    library, day, states = _stand(folder)
    found = changes(library, since=day_of(since), today=day, states=states)
    if as_json:
        print_json([change.record() for change in found])
        return
    for change in found:
        sys.stdout.write(f"{change}\n")
    if not found:
        sys.stdout.write(f"no verdict changed since {since}\n")


@app.command()
def expire(
    on: Annotated[str, typer.Option(help="A date to look from; today if left out.")] = "",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List verdicts that no longer stand, and why: time, protocol, claim, instrument or data.

    For example:

      limitset claims expire --on 2027-06-01
    """
    from limitset.library.judge.changes import expired
    from limitset.library.judge.staleness import in_full

    library, day, states = _stand(folder, on=on)
    found = expired(library, states=in_full(library, states, today=day))
    if as_json:
        print_json([one.record() for one in found])
        return
    for one in found:
        sys.stdout.write(f"{one}\n")
    if not found:
        sys.stdout.write(f"every verdict stands on {day}\n")


def opened(folder: Path | None, *, as_of: dt.date | None = None, make: bool = False) -> Library:
    """Open the library; a folder that a user names must be there, but where something is added to it.

    Raises
    ------
    InputError
        When it is not there.
    """
    from limitset.core.errors import InputError
    from limitset.library.holdings.library import Library

    library = Library.opened(folder, as_of=as_of)
    if folder is not None and not folder.exists():
        if not make:
            raise InputError.of(
                expected=f"--library {folder} must be a library folder",
                got="none there",
                fix="Check the path; limitset library add and limitset claims test make a new one.",
            )
        _say(f"a new library: {folder}")
    return library


def _taken_by(library: Library) -> dict[str, tuple[str, ...]]:
    """Return claim to which of a user's systems its protocol takes; only claims that can be run."""
    from limitset.library.judge.protocols import accepted_by, known

    files = known(library)
    return {
        claim.id: accepted_by(files[claim.protocol])
        for claim in library.claims.values()
        if claim.runnable and claim.protocol in files
    }


def _stand(
    folder: Path | None, *, on: str = "", make: bool = False
) -> tuple[Library, dt.date, dict[str, str]]:
    """Open the library, and say how each claim's verdict stands on the day."""
    from limitset.library.holdings.dated import day_of
    from limitset.library.judge.protocols import known
    from limitset.library.judge.staleness import state

    library = opened(folder, make=make)
    day = day_of(on or today())
    files = known(library)
    states = {
        claim.id: state(claim, library.verdict(claim.id), today=day, protocols=files)
        for claim in library.claims.values()
    }
    return library, day, states


def _by_protocol(claims: list[Claim]) -> list[list[Claim]]:
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.protocol, []).append(claim)
    return list(groups.values())


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _chosen(library: Library, named: list[str], *, every: bool) -> list[Claim]:
    from limitset.core.errors import InputError

    if every == bool(named):
        raise InputError.of(
            expected="limitset claims test takes claims, or --all",
            got="both" if every else "neither",
            fix="For example: limitset claims test 24a.",
        )
    if every:
        return [claim for claim in library.claims.values() if claim.runnable]
    found = [claim for name in named for claim in _runnable(library, name)]
    return list({claim.id: claim for claim in found}.values())


def _runnable(library: Library, named: str) -> list[Claim]:
    """Return the claims of a name; where it is a protocol's number, those that can be run."""
    found = list(library.claims_of(named))
    return [claim for claim in found if claim.runnable] or found


def _tier(name: str) -> Any:
    from limitset.core.errors import InputError
    from limitset.core.evidence import Tier

    if name not in list(Tier):
        raise InputError.of(expected="--tier is quick, normal or full", got=name, fix="Choose one of these.")
    return Tier(name)


def _gate(values: list[str]) -> int:
    from limitset.core.exits import ExitStatus

    if "fails" in values:
        return ExitStatus.FAIL
    return ExitStatus.INCONCLUSIVE if "can't tell" in values else ExitStatus.DONE


def _row(library: Library, claim: Claim, state: str, takes: tuple[str, ...]) -> dict[str, Any]:
    verdict, yours = library.verdict(claim.id), library.users_verdict(claim.id)
    return {
        "id": claim.id,
        "slug": claim.slug,
        "statement": claim.statement,
        "level": claim.level.value,
        "scope": claim.scope.value,
        "tags": list(claim.tags),
        "runnable": claim.runnable,
        "verdict": verdict.value if verdict else None,
        "effect": verdict.effect.model_dump(mode="json") if verdict else None,
        "date": str(verdict.date) if verdict else None,
        "state": state,
        "takes": list(takes),
        "yours": {"verdict": yours.value, "date": str(yours.date), "system": yours.system} if yours else None,
    }

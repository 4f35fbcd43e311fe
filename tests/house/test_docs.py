"""Do the links, commands, code and references of the documentation hold?"""

import csv
import re
import shlex
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer.main

from limitset.cli.main import app
from limitset.core.ends import Ends
from limitset.core.tallies import tallied
from limitset.datasets.planted import planted_panel, stratified_world
from limitset.report.references import entries, instruments
from limitset.studies.spec import FirstLook, parse_study

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
SHOWN = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(limitset [^`]+)`")
IDENTIFIER = re.compile(r"(?:arXiv:(\d{4}\.\d{4,5})|doi:(10\.\d{4,}/\S+))")

NOT_RUN = {
    "models.md": "loads a language model",
    "studies.md": "reads a finished study",
    "report.md": "writes pictures; the report's own tests run these calls",
    "tutorials/audit-a-file.md": "the tests of the audit run it",
}
"""Pages whose Python is only compiled, and why."""


def named(paths):
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in paths]


def prose(path):
    return FENCE.sub("", path.read_text(encoding="utf-8"))


def python_blocks(path):
    return [code for kind, code in FENCE.findall(path.read_text(encoding="utf-8")) if kind == "python"]


def commands(path):
    """Every `limitset ...` of a page: lines of code blocks without a language, and inline code."""
    lines = [
        line.strip()
        for kind, code in FENCE.findall(path.read_text(encoding="utf-8"))
        if kind in {"", "bash", "sh", "console"}
        for line in code.splitlines()
    ]
    return [line for line in lines if line.startswith("limitset ")] + INLINE.findall(prose(path))


@pytest.mark.parametrize("path", named(SHOWN))
def test_relative_links_resolve(path):
    targets = [target for target in LINK.findall(prose(path)) if "://" not in target and target[0] != "#"]
    missing = [target for target in targets if not (path.parent / target.split("#")[0]).exists()]
    assert not missing


def test_every_page_is_in_the_navigation_once():
    listed = re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(path.relative_to(DOCS).as_posix() for path in PAGES)


def understood(line):
    """Raise unless the command line knows the command, its options and so many arguments."""
    words = shlex.split(line.split(" > ")[0], comments=True)[1:]
    command = typer.main.get_command(app)
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        command = command.commands[words.pop(0)]
    options = {name: one for one in command.params for name in (*one.opts, *one.secondary_opts)}
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    room = float("inf") if any(one.nargs == -1 for one in arguments) else len(arguments)
    options["--help"] = None
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            option = options[word.split("=")[0]]
            if "=" not in word and option is not None and not option.is_flag:
                words.pop(0)
        else:
            room -= 1
    assert room >= 0, "more arguments than the command takes"


@pytest.mark.parametrize("path", named(SHOWN))
def test_commands_are_understood(path):
    wrong = []
    for line in commands(path):
        try:
            understood(line)
        except (KeyError, IndexError, AssertionError, ValueError) as error:
            wrong.append(f"{line}: {error!r}")
    assert not wrong


@pytest.mark.parametrize("line", ["limitset adit x.csv", "limitset run --fast", "limitset doctor now"])
def test_a_wrong_command_is_noticed(line):
    with pytest.raises((KeyError, AssertionError), match=r"adit|--fast|more arguments"):
        understood(line)


@pytest.fixture(scope="module")
def given():
    """What the examples of the instruments are handed."""
    rng = np.random.default_rng(0)
    world = replace(stratified_world(), kinds=("easy", "hard", "dispersed", "lure", "half lure"))
    ends, items = planted_panel(world, questions=40, seeds=4, rng=rng)
    return {"ends": ends, "items": items, "tallies": tallied(ends, items), "np": np}


def loops():
    """One loop of two instructions: "again" settles on the wrong answer, "rewrite" on the right one."""
    texts = {"again": (["A", "B", "B"], [1, 0, 0]), "rewrite": (["A", "A"], [1, 1])}
    ends, orbits = [], []
    for loop, (said, right) in texts.items():
        key = {"item": "q", "system": "m", "loop": loop}
        last = {"end": said[-1], "status": "settled", "steps": len(said) - 2, "right": right[-1]}
        ends.append({**key, "level": "text", **last})
        orbits += [
            {**key, "step": step, "period": 1, "text": text, "right": right[step]}
            for step, text in enumerate(said)
        ]
    return {"ends": Ends.of_rows(ends), "orbits": {name: [row[name] for row in orbits] for name in orbits[0]}}


def net_and_loss():
    import torch

    net = torch.nn.Linear(3, 2)
    inputs = torch.ones(4, 3)
    return {
        "net": net,
        "loss": lambda weights: float(
            torch.func.functional_call(net, dict(weights), (inputs,)).square().mean()
        ),
    }


def given_for(page, given):
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(50, 4)), rng.normal(size=(50, 4))
    names = {**given, "rng": rng, "first": first, "second": second, "inputs": first}
    names["predict"] = lambda inputs: inputs.argmax(axis=1)
    if page == "loop_ends":
        names |= loops()
    elif page == "flatness":
        names |= net_and_loss()
    elif page == "nulls":
        from limitset.instruments.truth import wrong_when_unanimous

        names["curve"] = wrong_when_unanimous(given["tallies"]).curve
    return names


@pytest.mark.parametrize("path", named(path for path in PAGES if python_blocks(path)))
def test_python_of_the_pages_runs(path, given):
    compiled = [compile(code, str(path), "exec") for code in python_blocks(path)]
    if path.relative_to(DOCS).as_posix() in NOT_RUN:
        return
    if path.stem == "false-twins":
        quick = python_blocks(path)[0].replace("nets=5)", "nets=2, steps=20, held_out=50)")
        assert "steps=20" in quick
        compiled = [compile(quick, str(path), "exec")]
    names = given_for(path.stem, given)
    for code in compiled:
        exec(code, names)


def test_pages_whose_python_is_not_run_exist():
    assert not [page for page in NOT_RUN if not python_blocks(DOCS / page)]


def test_the_study_file_of_the_page_shows_every_default():
    [shown] = [
        code
        for kind, code in FENCE.findall((DOCS / "studies.md").read_text(encoding="utf-8"))
        if kind == "toml"
    ]
    least = 'kind = "first_look"\nmodels = ["smollm2-135m-instruct", "./my-model"]'
    assert parse_study(shown, name="studies.md") == parse_study(least, name="least")
    assert tomllib.loads(shown).keys() | {"schema_version"} == FirstLook.model_fields.keys()


def test_the_tutorial_describes_the_panel_that_is_shipped():
    page = (DOCS / "tutorials" / "audit-a-file.md").read_text(encoding="utf-8")
    with (ROOT / "examples" / "panel.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert f"```text\n{','.join(rows[0])}\n```" in page
    assert f"{len(rows)} replies" in page
    assert f"{len({row['question'] for row in rows})} questions" in page


def identifiers(text):
    for eprint, doi in IDENTIFIER.findall(text):
        found = (eprint or doi).rstrip(".,;`")
        yield found[:-1] if found.endswith(")") and found.count("(") < found.count(")") else found


def test_every_work_that_is_cited_is_in_the_references():
    known = "\n".join(entries().values())
    files = [*(ROOT / "src").rglob("*.py"), *PAGES]
    cited = {(name, path.name) for path in files for name in identifiers(path.read_text(encoding="utf-8"))}
    assert len(cited) > 40
    assert not sorted(one for one in cited if one[0] not in known)


def test_every_instrument_can_be_cited():
    named_in_code = {
        name
        for path in (ROOT / "src").rglob("*.py")
        for name in re.findall(r'^INSTRUMENT\b.*= "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named_in_code) > 15
    assert named_in_code <= instruments().keys()


@pytest.mark.parametrize("page", sorted(NOT_RUN))
def test_names_of_pages_that_are_not_run_exist(page):
    for code in python_blocks(DOCS / page):
        lines = [line for line in code.splitlines() if line.startswith(("from ", "import "))]
        exec("\n".join(lines), {})


def test_no_work_stands_in_the_references_twice():
    found = re.findall(r"(?:doi|eprint) = \{([^}]+)\}", "\n".join(entries().values()))
    assert len(found) == len(set(found))

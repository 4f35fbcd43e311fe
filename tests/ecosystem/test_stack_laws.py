"""Which changes of a table of designs leave the instruments alone, as the ledger says?"""

import numpy as np
import pytest

from limitset.core.results import Measurement, MeasurementTable
from limitset.instruments import ecosystem
from limitset.testing.ledger import ECOSYSTEM_LEDGER

LAWS = ("design_order", "relabelling", "feature_order", "duplicates", "bounds")
DESIGNS = 24
PERIOD = np.repeat(["early", "late"], [10, 14])
KIN = np.array([str(i // 2) for i in range(DESIGNS)])


def table(seed=0):
    codes = np.random.default_rng(seed).integers(0, 3, (DESIGNS, 4))
    codes[12:, 0] = 1
    if seed % 2:  # early designs more alike than late ones, and no group apart
        codes = np.random.default_rng(seed).integers(0, 3, (DESIGNS, 4))
        codes[:8] = 0
        codes[16:20] = 0
    return {"codes": codes, "period": PERIOD, "kin": KIN, "names": np.array(list("abcd"))}


def numbers(result):
    if isinstance(result, Measurement):
        return {"": result.value}
    if isinstance(result, MeasurementTable):
        return {str(sorted(map(str, row.parameters.items()))): row.value for row in result.rows()}
    found = {}
    for field in result.__dataclass_fields__:
        if not field.startswith("p_value"):
            found |= {field + key: value for key, value in numbers(getattr(result, field)).items()}
    return found


def usual(given):
    """A design is usual when it has two features or more at their first value, whatever that is called."""
    return (given["codes"] == given.get("first", np.zeros(4, dtype=int))).sum(axis=1) >= 2


def judged(name, given):  # noqa: PLR0911  (one call an instrument)
    codes, period, kin = given["codes"], given["period"], given["kin"]
    rng, early = np.random.default_rng(1), period == "early"
    measure = getattr(ecosystem, name)
    if name == "stack_share":
        return measure(usual(given), period)
    if name == "share_change":
        return measure(usual(given)[early], usual(given)[~early])
    if name == "stack_similarity":
        return measure(codes, period, lineages=kin)
    if name == "similarity_change":
        return measure(codes[early], codes[~early], permutations=1, rng=rng)
    if name == "group_departure":
        return measure(codes, period, permutations=9, rng=rng)
    if name == "layer_dependence":
        return measure(codes, features=list(given["names"]), permutations=200, rng=rng)
    return measure(codes, period, features=list(given["names"]), rng=rng)


def reordered(given):
    order = np.random.default_rng(2).permutation(DESIGNS)
    return {**given, **{name: given[name][order] for name in ("codes", "period", "kin")}}


def relabelled(given):
    names = np.array([2, 0, 1])
    return {**given, "codes": names[given["codes"]], "first": np.full(4, names[0])}


def turned(given):
    order = [2, 0, 3, 1]
    return {**given, "codes": given["codes"][:, order], "names": given["names"][order]}


def doubled(given):
    both = {name: np.concatenate([given[name]] * 2) for name in ("codes", "period")}
    return {**given, **both, "kin": np.array([str(i) for i in range(2 * DESIGNS)])}


CHANGES = {
    "design_order": reordered,
    "relabelling": relabelled,
    "feature_order": turned,
    "duplicates": doubled,
}


def same(first, second, noise):
    # a pair of features may come named the other way round
    left, right = (numbers(one) for one in (first, second))
    if set(left) != set(right):
        left, right = ({str(i): v for i, v in enumerate(sorted(one.values()))} for one in (left, right))
    return all(abs(left[key] - right[key]) <= 1e-9 + noise * max(1, abs(left[key])) for key in left)


def test_every_instrument_is_listed_with_every_law():
    functions = {name for name in ecosystem.__all__ if name.islower()}
    assert set(ECOSYSTEM_LEDGER) == functions
    assert all(tabled.laws == set(LAWS) for tabled in ECOSYSTEM_LEDGER.values())


@pytest.mark.parametrize("name", ECOSYSTEM_LEDGER)
@pytest.mark.parametrize("law", CHANGES)
def test_laws_hold_where_listed_and_break_where_listed(name, law):
    tabled, given = ECOSYSTEM_LEDGER[name], table()
    kept = same(judged(name, given), judged(name, CHANGES[law](given)), tabled.noise)
    if law in tabled.obeys:
        assert kept
    elif tabled.noise:
        # the breach is of the value, which no draw moves
        exact = same(judged(name, given), judged(name, CHANGES[law](given)), 0)
        assert not exact
    else:
        assert not kept


@pytest.mark.parametrize("name", ECOSYSTEM_LEDGER)
def test_bounds_hold_where_listed_and_break_where_listed(name):
    values = [value for seed in range(6) for value in numbers(judged(name, table(seed))).values()]
    inside = all(0 <= value <= 1 for value in values)
    assert inside == ("bounds" in ECOSYSTEM_LEDGER[name].obeys)

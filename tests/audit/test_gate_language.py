"""Is a gate read as it is written, and does everything else end in one line that points at the column?"""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from limitset.core.errors import InputError
from limitset.core.gates import Gate, GateVerdict, Signature, Term, parse_gate
from limitset.report.audit.named_numbers import KNOWN, NAMED


def read(text):
    return parse_gate(text, known=KNOWN)


@pytest.mark.parametrize(
    ("text", "first", "less", "comparison", "bar"),
    [
        ("n_eff >= 3", "n_eff", None, ">=", 3.0),
        ("  n_eff>3  ", "n_eff", None, ">", 3.0),
        ("n_eff ≥ 3", "n_eff", None, ">=", 3.0),
        ("wrong_when_agreed(0.8) <= 5 %", "wrong_when_agreed(0.8)", None, "<=", 0.05),
        ("wrong_when_agreed(80 %) <= 5%", "wrong_when_agreed(0.8)", None, "<=", 0.05),
        ("abstained(a) <= .1", "abstained(a)", None, "<=", 0.1),
        ('accuracy("name with spaces") >= 0.7', 'accuracy("name with spaces")', None, ">=", 0.7),
        ("accuracy('a \"b\"') >= 0.7", 'accuracy("a \\"b\\"")', None, ">=", 0.7),
        ('accuracy("a\\\\b") >= 0.7', "accuracy(a\\b)", None, ">=", 0.7),
        ('accuracy("0.5") >= 0.7', 'accuracy("0.5")', None, ">=", 0.7),
        ("accuracy(0.5) >= 0.7", 'accuracy("0.5")', None, ">=", 0.7),
        ("accuracy(org/gpt-4.1:v2) >= 7e-1", "accuracy(org/gpt-4.1:v2)", None, ">=", 0.7),
        ("accuracy(a) - accuracy(b) >= 0", "accuracy(a)", "accuracy(b)", ">=", 0.0),
        ("same_wrong(a, b) <= 0.5", "same_wrong(a, b)", None, "<=", 0.5),
        ("error_after_voting <= 0.2", "error_after_voting", None, "<=", 0.2),
        ("surviving_share <= .8", "surviving_share", None, "<=", 0.8),
        ("kappa_p(a, b) - kappa_p_floor(a, b) <= .1", "kappa_p(a, b)", "kappa_p_floor(a, b)", "<=", 0.1),
        (
            'wrong_when_agreed(0.8, stratum="lure") <= .1',
            "wrong_when_agreed(0.8, stratum=lure)",
            None,
            "<=",
            0.1,
        ),
        ("accuracy(a, stratum = lure) < 1", "accuracy(a, stratum=lure)", None, "<", 1.0),
        ("n_eff(stratum=lure) >= 2", "n_eff(stratum=lure)", None, ">=", 2.0),
        ("accuracy >= .5", "accuracy", None, ">=", 0.5),
        (
            "accuracy(a) - baseline.accuracy(a) >= -0.01",
            "accuracy(a)",
            "baseline.accuracy(a)",
            ">=",
            -0.01,
        ),
        # moved to the left: 0.05 >= x is x <= 0.05; a >= b + 2 % is a - b >= 0.02; 0 <= a - b is a - b >= 0
        ("0.05 >= wrong_when_agreed(0.8)", "wrong_when_agreed(0.8)", None, "<=", 0.05),
        ("accuracy(a) >= accuracy(b) + 2 %", "accuracy(a)", "accuracy(b)", ">=", 0.02),
        ("0 < accuracy(a) - accuracy(b)", "accuracy(a)", "accuracy(b)", ">", 0.0),
        # -0.5 <= -a: a <= 0.5
        ("-0.5 <= -accuracy(a)", "accuracy(a)", None, "<=", 0.5),
        # 1 - a <= 0.3: -a <= -0.7: a >= 0.7
        ("1 - accuracy(a) <= 0.3", "accuracy(a)", None, ">=", 0.7),
        ("accuracy(a) + 10 % >= accuracy(b)", "accuracy(a)", "accuracy(b)", ">=", -0.1),
    ],
)
def test_what_is_written_is_what_is_read(text, first, less, comparison, bar):
    gate = read(text)
    assert (str(gate.first), None if gate.less is None else str(gate.less)) == (first, less)
    assert gate.comparison == comparison
    assert gate.bar == pytest.approx(bar, abs=1e-12)
    assert math.copysign(1, gate.bar) == (1 if bar >= 0 else -1)
    assert gate.text == text.strip()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("acuracy(a) >= 0.7", r"'acuracy' at column 1 of .* Did you mean accuracy\?"),
        ("n_eff >= zzz", r"names one of abstained, accuracy, .*; got 'zzz' at column 10"),
        ("baseline.acuracy(a) >= 0.7", r"'acuracy' at column 10 .* Did you mean accuracy\?"),
        ("baseline >= 0.7", r"baseline is followed by a dot and a name; got '>=' at column 10"),
        ("n_eff", r">=, <=, > or <; got the end at column 6"),
        ("", r"a number or the name of one; got the end at column 1"),
        ("n_eff = 3", r"compares with >=, <=, > or <; got '=' at column 7 .* use >= or <="),
        ("n_eff == 3", r"got '==' at column 7"),
        ("n_eff >= ", r"got the end at column 10"),
        ("n_eff >= 3 4", r"ends after its bar; got '4' at column 12"),
        ("3 >= 2", r"got no named numbers at column 1"),
        ("n_eff >= n_eff", r"got a number and itself"),
        ("accuracy(a) + accuracy(b) >= 1", r"got the sum of two at column 15"),
        ("accuracy(a) - accuracy(b) - accuracy(c) >= 0", r"got 3 named numbers"),
        ("2 * n_eff >= 3", r"got '\*' at column 3"),
        ("n_eff >= 1e999", r"a bar is a finite number; got '1e999' at column 10"),
        ("wrong_when_agreed <= .1", r"wrong_when_agreed is written wrong_when_agreed\(share\)"),
        ("wrong_when_agreed(8) <= .1", r"takes a share above 0 and up to 1; got '8' at column 19"),
        ("wrong_when_agreed(nan) <= .1", r"takes a share above 0 and up to 1; got 'nan'"),
        ("wrong_when_agreed(0.8, 0.9) <= .1", r"got '0\.9' at column 24 .* Drop it"),
        ("same_wrong(a) <= .1", r"same_wrong is written same_wrong\(system, system\)"),
        ("accuracy(a b) >= .1", r"followed by , or \); got 'b\)' at column 12"),
        ("accuracy(a, stratum=x, stratum=y) >= .1", r"got 'stratum' at column 24"),
        ("accuracy(a, strata=x) >= .1", r"got 'strata' at column 13"),
        ("accuracy(stratum=x, a) >= .1", r"got 'a' at column 21 .* Drop it"),
        ('accuracy("a) >= .1', r"accuracy needs an argument, in quotes where it holds spaces; got '\"a\)'"),
        ("accuracy() >= .1", r"accuracy needs an argument"),
        ("accuracy(a >= .1", r"followed by , or \); got '>=' at column 12"),
        ("__import__('os') >= 1", r"got '__import__' at column 1"),
        ("n_eff >= 3" + " " * 1000, r"at most 1000 characters"),
    ],
)
def test_anything_else_is_one_line_with_its_column(text, told):
    with pytest.raises(InputError, match=told) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_a_stratum_is_refused_where_a_number_has_none():
    known = {"kappa": Signature(kinds=("system",), least=1, stratum=False)}
    with pytest.raises(InputError, match=r"kappa is written kappa\(system\); got 'stratum'"):
        parse_gate("kappa(a, stratum=x) >= 0", known=known)


SIGNS = ["baseline", ".", "(", ")", ",", "=", ">=", "<=", "<", ">", "==", "-", "+", "%", '"', "'", "\\"]
OTHERS = ["0.8", "1e400", "stratum", "a", "é", "\x00", "\u202e", "\n", " ", "9" * 30, "−", "≥", "*", "__"]
pieces = st.sampled_from([*KNOWN, *SIGNS, *OTHERS])


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(pieces, max_size=14).map("".join)))
@example("accuracy(")
@example('accuracy("')
@example("n_eff >= -")
@example("n_eff >= 3 %%")
def test_no_text_ends_in_anything_but_a_gate_or_an_input_error(text):
    try:
        gate = read(text)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - the class is asserted by the clause
        return
    assert math.isfinite(gate.bar)
    # what is written anew is read as the same
    again = read(
        f"{gate.first} {'' if gate.less is None else f'- {gate.less} '}{gate.comparison} {gate.bar!r}"
    )
    assert (again.first, again.less, again.bar, again.above) == (gate.first, gate.less, gate.bar, gate.above)


def gate_of(*, above, strict, bar):
    return Gate(text="g", first=Term(name="n_eff"), less=None, bar=bar, above=above, strict=strict)


@pytest.mark.parametrize(
    ("above", "strict", "low", "high", "verdict"),
    [
        (True, False, 3.0, 4.0, "PASS"),  # the bar itself passes >=
        (True, True, 3.0, 4.0, "INCONCLUSIVE"),  # and not >
        (True, True, 2.0, 3.0, "FAIL"),  # an interval that ends on the bar never lies above it
        (True, False, 2.0, 3.0, "INCONCLUSIVE"),
        (True, False, 2.0, 2.9, "FAIL"),
        (False, False, 2.0, 3.0, "PASS"),
        (False, True, 2.0, 3.0, "INCONCLUSIVE"),
        (False, True, 3.0, 4.0, "FAIL"),
        (False, False, 3.1, 4.0, "FAIL"),
        (False, False, 2.0, 4.0, "INCONCLUSIVE"),
        (True, False, math.nan, 4.0, "INCONCLUSIVE"),
        (True, False, 4.0, math.nan, "INCONCLUSIVE"),
    ],
)
def test_a_verdict_is_by_the_whole_interval(above, strict, low, high, verdict):
    assert gate_of(above=above, strict=strict, bar=3.0).verdict(low, high) is GateVerdict(verdict)


def test_every_named_number_says_what_it_is():
    assert {name for name, named in NAMED.items() if len(named.words) < 15} == set()

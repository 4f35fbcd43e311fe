"""How does a continuous integration read the gates of an audit (JUnit XML)?

A gate that FAILs is a `failure`; one that is INCONCLUSIVE is an `error`: what could not be told must not look
as if it had passed, and a `skipped` case does so in most viewers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

from limitset.charts.shown import visible
from limitset.core.gates import GateVerdict
from limitset.report.audit.gating import Judged

SUITE: Final = "limitset"
_ELEMENTS: Final = {GateVerdict.FAIL: "failure", GateVerdict.INCONCLUSIVE: "error"}


def junit_xml(judged: Sequence[Judged], *, scope: str = "") -> str:
    """Write gates as one test suite.

    Parameters
    ----------
    judged
        The gates; none gives an empty suite.
    scope
        What was audited; a property of the suite.

    Returns
    -------
    str
        XML 1.0: a test case a gate with the properties gate, verdict, value, low, high, n and confidence.
        Characters that XML cannot hold are written as escapes.

    Examples
    --------
    >>> print(junit_xml([]))
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites>
      <testsuite name="limitset" tests="0" failures="0" errors="0" skipped="0" />
    </testsuites>
    <BLANKLINE>
    """
    root = ElementTree.Element("testsuites")
    counts = {
        "tests": len(judged),
        "failures": sum(one.verdict is GateVerdict.FAIL for one in judged),
        "errors": sum(one.verdict is GateVerdict.INCONCLUSIVE for one in judged),
        "skipped": 0,
    }
    named = {name: str(count) for name, count in counts.items()}
    suite = ElementTree.SubElement(root, "testsuite", {"name": SUITE, **named})
    if scope:
        _properties(suite, {"scope": scope})
    for one in judged:
        case = ElementTree.SubElement(suite, "testcase", {"name": visible(one.title), "classname": "gates"})
        _properties(case, _numbers(one))
        if one.verdict in _ELEMENTS:
            told = f"{one.gate.text}: {one.shown}. {one.why}".strip()
            element = _ELEMENTS[one.verdict]
            said = ElementTree.SubElement(case, element, {"message": visible(told), "type": str(one.verdict)})
            said.text = visible(told)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _numbers(one: Judged) -> dict[str, str]:
    got = one.measurement
    numbers = {"value": got.value, "low": got.low, "high": got.high, "n": got.n}
    return {
        "gate": one.gate.text,
        "verdict": str(one.verdict),
        **{name: f"{number:.6g}" for name, number in numbers.items() if not math.isnan(number)},
        "confidence": f"{got.confidence:.6g}",
        **({} if one.before is None else {"before": str(one.before)}),
        **({} if one.needed is None else {"needed": str(one.needed)}),
        **({"blank_reason": got.blank_reason} if got.blank_reason else {}),
    }


def _properties(parent: ElementTree.Element, values: dict[str, str]) -> None:
    held = ElementTree.SubElement(parent, "properties")
    for name, value in values.items():
        ElementTree.SubElement(held, "property", {"name": name, "value": visible(value)})

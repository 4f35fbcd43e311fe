"""What does every word of the page mean, plainly and as a formula?"""

from __future__ import annotations

from collections.abc import Iterable

from limitset.report.page import Definition

_ANY = (
    Definition(
        term="run",
        plain="One reply to one question under one condition: a system, a wording, a seed, a temperature. "
        "A run "
        "that gives no answer, or none that can be read, stays in the denominator and agrees with nobody.",
        formula="π_{q}(y) = P(a run of question q ends in answer y)",
    ),
    Definition(
        term="agreement (modal share)",
        plain="The share of runs that give the commonest answer.",
        formula="a_{q} = argmax_{y} π_{q}(y),   b_{q} = π_{q}(a_{q})",
    ),
    Definition(
        term="anchor",
        plain="Something outside every model that says what is right: computed, executed, or looked up, "
        "with an "
        "error of its own that widens the intervals. A model's opinion is no anchor.",
    ),
    Definition(
        term="interval",
        plain="46 % [41, 51] is an estimate with its 95 % interval. Questions are left out one at a time: "
        "runs of "
        "one question are not independent of each other. Blank where fewer than five questions carry a "
        "number or its opposite; then a bound stands instead: at most, or at least.",
    ),
    Definition(
        term="where answers vary (variance shares)",
        plain="How much of the variance of answers goes with the model, the wording, both together, or the "
        "chance "
        "of a single run; the rest is what all runs of a question have in common.",
        formula="question = c_{dd},   model = c_{sd} − c_{dd},   wording = c_{ds} − c_{dd},   seed = 1 − "
        "c_{ss}",
    ),
)

_ANCHORED = (
    Definition(
        term="error that survives voting",
        plain="How often the commonest answer of n runs is wrong, and how much that is of the error of one "
        "run. "
        "Above 100 %, voting makes it worse.",
        formula="e_{n} = P(plurality of n runs is wrong),   surviving share = e_{N} / e_{1}",
    ),
    Definition(
        term="wrong when agreed (false consensus rate, FCR)",
        plain="Of the questions on which at least a share τ of the runs agree, how many have a wrong "
        "commonest "
        "answer. Its coverage is the share of questions on which so many agree.",
        formula="FCR(τ) = P(a_{q} wrong | b_{q} ≥ τ),   coverage = P(b_{q} ≥ τ)",
    ),
    Definition(
        term="wrong when all agree (false unanimity, φ_{k})",
        plain="Of the times that k runs all give one answer, how often it is wrong. Agreement of runs that "
        "differ "
        "in their seed, in the wording, or in the model is kept apart.",
        formula="φ_{k} = Σ_{q} Σ_{y≠y*} P_{q}(k runs all y) / Σ_{q} Σ_{y} P_{q}(k runs all y)",
    ),
    Definition(
        term="unequal difficulty alone (null, φ⁰⁰_{k})",
        plain="What φ would be if each question kept its difficulty and wrong answers were spread by "
        "popularity "
        "alone. Two estimates bracket it; more than that is claimed only above the upper one.",
        formula="φ⁰⁰_{k} = E[w_{q}^{k}] G_{k} / (E[w_{q}^{k}] G_{k} + E[r_{q}^{k}]),   G_{k} = Σ_{j} "
        "g(j)^{k}",
    ),
    Definition(
        term="same wrong answer",
        plain="Where two systems are both wrong and both answer, how often they give the same answer.",
        formula="P(y_{1} = y_{2} | y_{1} ≠ y*, y_{2} ≠ y*)",
    ),
    Definition(
        term="effective number (Kish)",
        plain="How many independent voters carry as much information as these, from the mean correlation r "
        "of "
        "their errors.",
        formula="M / (1 + (M − 1) r)",
    ),
    Definition(
        term="trap",
        plain="A wrong answer that at least half of the runs give. A lure is known beforehand to be popular, "
        "and need not be a trap.",
    ),
)

_LOOPS = (
    Definition(
        term="text loop",
        plain="A model is given its own text again, with the same instruction. It has settled when a text "
        "comes "
        "back: from there a deterministic loop repeats for ever. Settled does not mean right.",
        formula="s_{t+1} = model(instruction, s_{t})",
    ),
)


_KINDS = {
    "lure": "a popular wrong answer is known beforehand (the largest city, for a capital)",
    "recall": "the answer stands in a table, and no lure is known",
    "computed": "the answer follows from a rule",
}


def kinds_of_question(strata: Iterable[str]) -> tuple[Definition, ...]:
    """Return what the kinds of the packaged questions mean, where the page has them."""
    told = [f"{name}: {_KINDS[name]}" for name in dict.fromkeys(strata) if name in _KINDS]
    return (Definition(term="kinds of question", plain="; ".join(told) + "."),) if told else ()


def definitions(*, anchored: bool, loops: bool, strata: Iterable[str] = ()) -> tuple[Definition, ...]:
    """Return the words that this page uses."""
    first = _ANCHORED if anchored else ()
    return (*first, *kinds_of_question(strata), *_ANY, *(_LOOPS if loops else ()))

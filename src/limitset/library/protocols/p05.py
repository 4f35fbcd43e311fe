"""Does text that is given back to its model again and again end in a fixed point, and is that right?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from limitset.core.bars import Bar
from limitset.core.columns import joined
from limitset.core.ends import Ends
from limitset.core.evidence import Control, Evidence, Protocol, Scope, Tier, Trial
from limitset.core.loops import ORBIT_KINDS
from limitset.core.results import Measurement
from limitset.core.streams import Streams
from limitset.datasets.anchored import anchored
from limitset.datasets.questions import QuestionSet
from limitset.maps.text import INSTRUCTIONS
from limitset.models.scripted import ScriptedModel
from limitset.studies.asking import Asked
from limitset.studies.looping import looped
from limitset.studies.small_looks import look_spec, looked
from limitset.studies.text_ends import TextEnds, telling_loops, text_ends

SEED: Final = 500
"""Added to the seed of a trial, so that no counted run repeats the questions of a pilot."""
HALF: Final = 0.5
"""More than half of the loops: the smallest share that "ends in a fixed point" can mean."""
FIXED: Final = ("fixed_share", "cycle_share")
LONG: Final = 5
"""Period of the long planted cycle; loops of the quick tier have 8 steps."""
FREE: Final = ("rewrite",)
"""Instructions under which the question is not shown again: one map for all starts. Asked again, each
question is a map of its own, and loops of two questions cannot share an end."""
FIRST: Final = "zqword"
"""No question holds it."""


@dataclass(frozen=True, kw_only=True)
class _Size:
    models: tuple[str, ...]
    loops: int
    steps: int
    max_tokens: int


SIZES: Final = {
    Tier.QUICK: _Size(models=("smollm2-135m-instruct",), loops=24, steps=8, max_tokens=16),
    Tier.NORMAL: _Size(models=("smollm2-135m-instruct", "gemma-3-270m"), loops=80, steps=12, max_tokens=30),
}


def run(trial: Trial) -> Evidence:
    """Loop models greedily on their own texts, and say where that ends and whether it is right."""
    size = SIZES[PROTOCOL.tier_or_next(trial.tier)]
    models = (trial.model,) if trial.model else size.models
    spec = look_spec(
        models,
        questions=400,
        loops=size.loops,
        steps=size.steps,
        max_tokens=size.max_tokens,
        seed=SEED + trial.seed,
    )
    trial.say(f"looping {' and '.join(models)}")
    look = looked(spec, trial.folder, only_loops=True, date=trial.date, say=trial.say)
    found = text_ends(look.texts, look.orbits, free=FREE, confidence=trial.confidence)
    trial.say("planted loops")
    questions = anchored().take(size.loops, seed=SEED + trial.seed)
    return Evidence(
        estimates=found.estimates,
        controls=_controls(questions, size, trial),
        scope=Scope.REAL,
        system=f"{look.system}, {size.loops} of them looped",
        curve=found.outcomes,
        rows=telling_loops(look.texts, look.orbits, look.items),
        notes=(
            f"greedy loops of {size.steps} steps and {size.max_tokens} tokens, two instructions",
            "a loop that did not settle within its steps counts as ended nowhere",
            "whether starts share an end is asked of the loops that rewrite, which do not see the question",
            *look.attributions,
        ),
    )


def _controls(questions: QuestionSet, size: _Size, trial: Trial) -> tuple[Control, ...]:
    """Scripted models with planted ends, looped on as many questions as the real ones."""
    still = _planted(_ring(1), questions, size, trial)
    swaps = _planted(_ring(2), questions, size, trial)
    rounds = _planted(_ring(LONG), questions, size, trial)
    walks = _planted(_ring(size.steps + 2), questions, size, trial)
    mends = _planted(_answers(questions, first_right=False), questions, size, trial)
    breaks = _planted(_answers(questions, first_right=True), questions, size, trial)
    above, below = Bar("above", (HALF,)), Bar("below", (HALF,))
    return (
        _control("a planted fixed point", "positive", still, "fixed_share", above),
        _control("planted cycles of period 2", "negative", swaps, "fixed_share", below),
        _control("planted cycles of period 2 are seen", "positive", swaps, "cycle_share", above),
        _control(f"planted cycles of period {LONG} are seen", "positive", rounds, "cycle_share", above),
        _control("a walk longer than the loops", "negative", walks, "fixed_share", below),
        _control("a model that mends every answer and stays", "positive", mends, "right_settled", above),
        _control("a model that breaks every answer and stays", "negative", breaks, "right_settled", below),
        _control("a model that mends every answer", "positive", mends, "change", above),
        _control("a model that breaks every answer", "negative", breaks, "change", Bar("below", (-HALF,))),
        _control("one end for all starts", "positive", still, "shared_share", above),
        _control("an end of its own for each start", "negative", mends, "shared_share", below),
    )


def _control(name: str, kind: str, found: TextEnds, statistic: str, wanted: Bar) -> Control:
    measured: Measurement = found.estimates[statistic]
    value = measured.value  # of planted texts all is known: there is no interval to lean on
    return Control(
        name=name,
        kind=kind,
        passed=wanted.holds(value, value),
        measured=measured,
        wanted=f"{statistic} {wanted}",
        guards=FIXED if statistic in FIXED else (statistic,),
    )


def _ring(period: int) -> ScriptedModel:
    """Whatever is asked, the first word of a ring; after a word, the next one."""
    words = [f"{FIRST}{number:03d}" for number in range(period)]
    after = {word: words[(place + 1) % period] for place, word in enumerate(words)}
    return ScriptedModel(f"ring of {period}", after, default=words[0])


def _answers(questions: QuestionSet, *, first_right: bool) -> ScriptedModel:
    """To each question a first answer, then the other one for good; one of them is right."""
    replies: dict[str, str] = {}
    for number, (item, question) in enumerate(questions.questions.items()):
        wrong = f"{90000 + number}" if question.form in ("number", "list") else f"{FIRST}{number:03d}"
        ends = (question.accepted[0], wrong) if first_right else (wrong, question.accepted[0])
        for name in ("again", "rewrite"):
            replies |= _script(questions.text(item), name, *ends)
    return ScriptedModel("two answers", replies, default=FIRST)


def _script(question: str, instruction: str, first: str, then: str) -> dict[str, str]:
    """Exact prompts of a conversation that begins with one text and stays with another."""
    how = INSTRUCTIONS[instruction]
    script = {}
    for prompt, reply in (
        (how.start_prompt(question, style="chat"), first),
        (how.step_prompt(question, first, style="chat"), then),
        (how.step_prompt(question, then, style="chat"), then),
    ):
        script[prompt if isinstance(prompt, str) else prompt[-1].content] = reply
    return script


def _planted(model: ScriptedModel, questions: QuestionSet, size: _Size, trial: Trial) -> TextEnds:
    asked = Asked(model=model, style="chat", questions=questions, rng=Streams(trial.seed))
    parts = []
    for instruction in ("rewrite", "again"):
        loops = {"steps": size.steps, "max_tokens": size.max_tokens}
        chunk = {"items": list(questions.questions), "instruction": instruction, "loops": loops}
        parts.append(looped(chunk, asked))
    ends = Ends.joined(Ends(dict(part["ends"].columns)) for part in parts)
    orbits = {name: joined([part["orbits"].columns[name] for part in parts]) for name in ORBIT_KINDS}
    return text_ends(ends, orbits, free=FREE, confidence=trial.confidence)


PROTOCOL: Final = Protocol(
    id="p05",
    title="Does text given back to its model again and again end in a fixed point, and is that right?",
    run=run,
    statistics={
        "fixed_share": "share of greedy loops that end in a fixed point",
        "cycle_share": "share of greedy loops that end in a cycle of period 2 or more",
        "right_start": "share of loops whose first text is right",
        "right_end": "share of loops whose last text is right",
        "right_settled": "share of the loops that settled whose last text is right",
        "change": "share right at the end less share right at the start",
        "shared_share": "share of the loops that rewrite, of one model, in their commonest end",
    },
    instruments=(
        "loop_ends@1",
        "orbits@1",
        "text_ends@2",
        "text_map@1",
        "canonicaliser@2",
        "sampling@1",
    ),
    data=(
        "anchored questions sha256 e7d49e0386bc",
        "smollm2-135m-instruct sha256 b179c9523d0e",
        "gemma-3-270m sha256 a5fd3b62230a",
    ),
    seconds={Tier.QUICK: 60, Tier.NORMAL: 190},
    scope=Scope.REAL,
    accepts=("model",),
    confounds=(
        "greedy loops only: sampled loops have no fixed points, but metastable sets",
        "short texts, two instructions and two small models",
    ),
)

"""Which logs does Inspect write for judges: grades of 1 to 5, and verdicts, with a scorer `human` as key?

The judges are rules with planted errors, the labels are planted too; README.md names the environment.
"""

import json
import random
import sys
from pathlib import Path

from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Target, accuracy, mean, scorer
from inspect_ai.solver import TaskState, generate

HERE = Path(__file__).parent
QUESTIONS = [json.loads(line) for line in (HERE / "tasks" / "questions.jsonl").open(encoding="utf-8")]
COUNT = 9
OFFSETS = {"strict": -1, "kind": 1, "plain": 0}
"""How many grades a judge is above the label, before its error."""


def label(number):
    """Return the planted grade of one answer: 1 to 5 in turn."""
    return 1 + number % 5


def grader(name):
    """Return a scorer of the grades 1 to 5; `human` gives the label itself."""

    @scorer(metrics=[mean()], name=name)
    def made():
        async def score(state: TaskState, target: Target) -> Score:
            del target
            number = int(state.sample_id)
            if name == "human":
                return Score(value=label(number))
            error = random.Random(f"{name}{number}").choice([0, 0, 0, 1, -1])
            grade = min(5, max(1, label(number) + OFFSETS[name] + error))
            return Score(value=grade, explanation=f"{name} gives {grade}")

        return score

    return made()


def checker(name):
    """Return a scorer of C and I; every judge is wrong on answer 3, and one abstains on answer 5."""

    @scorer(metrics=[accuracy()], name=name)
    def made():
        async def score(state: TaskState, target: Target) -> Score:
            del target
            number = int(state.sample_id)
            right = label(number) >= 3
            if name == "kind" and number == 5:
                return Score(value="N")
            if name != "human" and (number == 3 or random.Random(f"{name}{number}").random() < 0.15):
                right = not right
            return Score(value="C" if right else "I", answer=state.output.completion)

        return score

    return made()


def main(out):
    """Write one log of grades and one of verdicts."""

    def say(messages, *_settings):
        output = ModelOutput.from_content("mockllm/writer", f"On {messages[-1].text} it said so.")
        output.usage = ModelUsage(input_tokens=9, output_tokens=5, total_tokens=14)
        return output

    samples = [
        Sample(id=n, input=f"{QUESTIONS[n % len(QUESTIONS)]['question']} ({n})", target="")
        for n in range(COUNT)
    ]
    for task, made in (("graded", grader), ("checked", checker)):
        evaluate(
            Task(
                name=task,
                dataset=samples,
                solver=generate(),
                scorer=[made(name) for name in (*OFFSETS, "human")],
            ),
            model=get_model("mockllm/writer", custom_outputs=say),
            log_dir=str(out),
            display="none",
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

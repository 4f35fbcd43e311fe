"""Which logs does Inspect write for mock models? Run with its own environment; see README.md."""

import json
import random
import sys
from pathlib import Path

from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import Sample
from inspect_ai.model import GenerateConfig, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Target, accuracy, choice, match, scorer
from inspect_ai.solver import TaskState, generate, multiple_choice

HERE = Path(__file__).parent
QUESTIONS = [json.loads(line) for line in (HERE / "tasks" / "questions.jsonl").open(encoding="utf-8")]
LETTERS = "ABC"


@scorer(metrics=[accuracy()])
def strict():
    """Right, partly right (right word, more words), no answer, or wrong: all four values of Inspect."""

    async def score(state: TaskState, target: Target) -> Score:
        said = state.output.completion.strip().rstrip(".")
        if said == target.text:
            return Score(value="C", answer=said)
        if not said:
            return Score(value="N")
        return Score(value="P" if target.text in said and "or" in said.split() else "I", answer=said)

    return score


def mock(name, right, reply):
    """Return a mock model that answers right with a given chance; a reply without usage stops Inspect."""
    rng = random.Random(name)

    def say(messages, *_settings):
        prompt = messages[-1].text
        asked = max(QUESTIONS, key=lambda one: prompt.rfind(one["question"]))
        output = ModelOutput.from_content(f"mockllm/{name}", reply(asked, rng.random() < right, rng))
        output.usage = ModelUsage(input_tokens=20, output_tokens=4, total_tokens=24)
        return output

    return get_model(f"mockllm/{name}", custom_outputs=say, config=GenerateConfig(temperature=0.7))


def free(asked, right, rng):
    """Return one word, a hedge, silence, or two lines."""
    wrong = next(one for one in asked["choices"] if one != asked["answer"])
    if rng.random() < 0.1:
        return rng.choice(["", f"{asked['answer']} or {wrong}"])
    return f"{asked['answer'] if right else wrong}."


def lettered(asked, right, _rng):
    """Return a letter in the form that Inspect's multiple choice asks for."""
    label = asked["label"] if right else (asked["label"] + 1) % 3
    return f"I thought about it.\nANSWER: {LETTERS[label]}"


def tasks(count, epochs):
    """Return a free and a multiple-choice task."""
    asked = [QUESTIONS[index % len(QUESTIONS)] for index in range(count)]
    tell = ["" if index < len(QUESTIONS) else f" ({index})" for index in range(count)]
    open_ended = [
        Sample(id=f"q{n}", input=one["question"] + tell[n], target=one["answer"])
        for n, one in enumerate(asked)
    ]
    lettered_ones = [
        Sample(id=n, input=one["question"] + tell[n], choices=one["choices"], target=LETTERS[one["label"]])
        for n, one in enumerate(asked)
    ]
    return (
        Task(
            name="capitals", dataset=open_ended, solver=generate(), scorer=[strict(), match()], epochs=epochs
        ),
        Task(
            name="capitals_choice",
            dataset=lettered_ones,
            solver=multiple_choice(),
            scorer=choice(),
            epochs=epochs,
        ),
    )


def main(out, count=4, epochs=2):
    """Run three mock models on two tasks; the third in the older .json format, once, for its size."""
    for name, right, form in (("a", 0.7, "eval"), ("b", 0.5, "eval"), ("c", 0.6, "json")):
        asked = tasks(count, epochs) if form == "eval" else tasks(count - 1, 1)[:1]
        for task, reply in zip(asked, (free, lettered), strict=False):
            evaluate(
                task,
                model=mock(name, right, reply),
                log_dir=str(out),
                log_format=form,
                display="none",
                log_samples=True,
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(one) for one in sys.argv[2:]))

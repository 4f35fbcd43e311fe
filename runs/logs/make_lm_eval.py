"""Which logs does lm-evaluation-harness write for planted models? It needs its own environment: README.md."""

import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from lm_eval.__main__ import cli_evaluate
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model
from lm_eval.models import dummy  # noqa: F401  (a registration of our own hides the lazy ones)

HERE = Path(__file__).parent
QUESTIONS = [json.loads(line) for line in (HERE / "tasks" / "questions.jsonl").open(encoding="utf-8")]


@register_model("planted")
class Planted(LM):
    """Answers right with a given chance, otherwise with the first wrong choice; no weights."""

    def __init__(self, pretrained="a", right=0.6, seed=0, **_ignored):
        super().__init__()
        self.right, self.rng = float(right), random.Random(f"{pretrained}{seed}")

    @classmethod
    def create_from_arg_string(cls, text, _config=None):
        """Read name=value,name=value."""
        return cls(**dict(part.split("=") for part in text.split(",")))

    @classmethod
    def create_from_arg_obj(cls, values, _config=None):
        """Read names and values."""
        return cls(**values)

    def _answer(self, prompt):
        asked = max(QUESTIONS, key=lambda one: prompt.rfind(one["question"]))
        wrong = next(one for one in asked["choices"] if one != asked["answer"])
        return asked["answer"] if self.rng.random() < self.right else wrong

    def generate_until(self, requests, **_progress):
        """Return a sentence for each prompt."""
        return [f" The answer is {self._answer(one.args[0])}." for one in requests]

    def loglikelihood(self, requests, **_progress):
        """Return (log-likelihood, greedy) for each choice."""
        found = []
        for one in requests:
            likely = self._answer(one.args[0]) == one.args[1].strip()
            found.append((round(-self.rng.random() - (0 if likely else 2), 4), likely))
        return found

    def loglikelihood_rolling(self, requests, **_progress):
        """Return a log-likelihood for each text."""
        return [(-1.0,) for _ in requests]


def main(out):
    """Run the command line of the harness once a model and few-shot setting."""
    with tempfile.TemporaryDirectory() as scratch:
        tasks = Path(scratch) / "tasks"
        shutil.copytree(HERE / "tasks", tasks)
        for file in tasks.glob("*.yaml"):
            text = file.read_text(encoding="utf-8")
            file.write_text(text.replace("QUESTIONS", str(tasks / "questions.jsonl")), encoding="utf-8")
        for folder, model, arguments, names, shots in (
            (
                "a",
                "planted",
                "pretrained=planted-a,right=0.7",
                "capitals,capitals_choice,capitals_repeated",
                0,
            ),
            (
                "b",
                "planted",
                "pretrained=planted-b,right=0.5",
                "capitals,capitals_choice,capitals_repeated",
                0,
            ),
            ("dummy", "dummy", "", "capitals_choice", 0),
            ("b-two-shot", "planted", "pretrained=planted-b,right=0.5", "capitals", 2),
        ):
            line = f"lm_eval run --model {model} --tasks {names} --include_path {tasks} --num_fewshot {shots}"
            line += f" --log_samples --output_path {out / folder} --device cpu"
            sys.argv = [*line.split(), *(["--model_args", arguments] if arguments else [])]
            cli_evaluate()
    for file in out.rglob("results_*.json"):
        # a description of the machine: nothing reads it
        kept = {k: v for k, v in json.loads(file.read_text("utf-8")).items() if k != "pretty_env_info"}
        file.write_text(json.dumps(kept), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Which logs do the real tools write for the two packaged models? Run with the environment of README.md."""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import Sample
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.scorer import choice, includes, match
from inspect_ai.solver import generate, multiple_choice
from lm_eval.__main__ import cli_evaluate

HERE = Path(__file__).resolve().parent
QUESTIONS = [json.loads(line) for line in (HERE / "tasks" / "questions.jsonl").open(encoding="utf-8")]
LETTERS = "ABC"


def with_lm_eval(out, names):
    """Run three tasks on each model: generated answers, multiple choice, four repeats."""
    shutil.copytree(HERE / "tasks", "tasks")
    for file in Path("tasks").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("QUESTIONS", "tasks/questions.jsonl"), encoding="utf-8")
    for name in names:
        line = (
            "lm_eval run --model hf --tasks capitals,capitals_choice,capitals_repeated --include_path tasks"
        )
        line += f" --model_args pretrained={name},dtype=float32 --num_fewshot 0 --batch_size 1 --device cpu"
        line += f" --log_samples --output_path {out}"
        sys.argv = line.split()
        cli_evaluate()
    for file in out.rglob("results_*.json"):
        # a description of the machine: nothing reads it
        kept = {k: v for k, v in json.loads(file.read_text("utf-8")).items() if k != "pretty_env_info"}
        file.write_text(json.dumps(kept), encoding="utf-8")


def with_inspect(out, names):
    """Run a free task with two scorers and multiple choice; drawn at temperature 0.7, the free task twice."""
    free = [
        Sample(id=n, input=f"{one['question']} Answer with one word.", target=one["answer"])
        for n, one in enumerate(QUESTIONS)
    ]
    lettered = [
        Sample(id=n, input=one["question"], choices=one["choices"], target=LETTERS[one["label"]])
        for n, one in enumerate(QUESTIONS)
    ]
    tasks = [
        Task(name="capitals", dataset=free, solver=generate(), scorer=[includes(), match()], epochs=2),
        Task(name="capitals_choice", dataset=lettered, solver=multiple_choice(), scorer=choice()),
    ]
    for name in names:
        drawn = GenerateConfig(temperature=0.7, seed=7, max_tokens=12)
        model = get_model(f"hf/{name}", config=drawn, model_path=name, device="cpu", torch_dtype="float32")
        evaluate(tasks, model=model, log_dir=str(out), display="none", max_tasks=1)


def main(out, *folders):
    """Run both tools where the folders of the models have short names."""
    torch.manual_seed(7)
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        names = []
        for folder in folders:
            # limitset names a folder NAME-HASH
            names.append(folder.name.rpartition("-")[0])
            Path(names[-1]).symlink_to(folder)
        with_lm_eval(out / "lm_eval", names)
        with_inspect(out / "inspect", names)


if __name__ == "__main__":
    main(*(Path(one).resolve() for one in sys.argv[1:]))

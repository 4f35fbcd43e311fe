"""How fast are replies drawn, against `generate` of transformers on the same work in the same process?

Run: python benchmarks/sampling.py [--model NAME] [--prompts 25] [--draws 5] [--max-tokens 12] [--repeats 2]

Work: one question each about so many capitals; one greedy reply and draws - 1 warm ones. The peer draws the
same number of replies in one padded batch with num_return_sequences and stops at the same texts. Greedy
texts must agree, or the benchmark fails.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from typing import Any

import torch

from limitset.core.replies import Draw, Message, Prompt, Reply
from limitset.core.streams import Streams
from limitset.models.opening import open_model, resolve
from limitset.models.torch_model import TorchModel

COUNTRIES = [
    "France",
    "Japan",
    "Kenya",
    "Peru",
    "Australia",
    "Turkey",
    "Brazil",
    "Canada",
    "Egypt",
    "Norway",
    "Spain",
    "Chad",
    "Fiji",
    "Nepal",
    "Cuba",
    "Iran",
    "Iraq",
    "Laos",
    "Mali",
    "Oman",
    "Togo",
    "Yemen",
    "Ghana",
    "India",
    "Italy",
]
SHOTS = "".join(
    f"Question: What is the capital of {country}?\nAnswer: {city}\n\n"
    for country, city in (("Germany", "Berlin"), ("Poland", "Warsaw"), ("Chile", "Santiago"))
)


def prompt(country: str, style: str) -> Prompt:
    if style == "chat":
        return (Message("user", f"What is the capital of {country}? Answer with the name only."),)
    return f"{SHOTS}Question: What is the capital of {country}?\nAnswer:"


def ours(model: TorchModel, prompts: list[Prompt], options: argparse.Namespace) -> list[list[Reply]]:
    draws = [Draw(0, 0.0), *(Draw(seed, 1.0) for seed in range(options.draws - 1))]
    return model.generate(
        prompts,
        rows=[str(row) for row in range(len(prompts))],
        draws=draws,
        max_tokens=options.max_tokens,
        top_p=options.top_p,
        stop=("\n",),
        rng=Streams(0),
    )


def line_ends(model: TorchModel) -> list[int]:
    """Return every token that ends a reply, those that hold a line end among them.

    The peer gets the stop text as end tokens: its own stop_strings cost it more.
    """
    size = model.torch_module.config.vocab_size
    pieces = model.tokenizer.batch_decode([[token] for token in range(min(size, len(model.tokenizer)))])
    return [*model.ends, *(token for token, piece in enumerate(pieces) if "\n" in piece)]


def peer(
    model: TorchModel, prompts: list[Prompt], ends: list[int], options: argparse.Namespace
) -> tuple[list[str], int]:
    """Draw greedily once and warmly draws - 1 times; return greedy texts and the number of tokens."""
    tokenizer = model.tokenizer
    tokenizer.padding_side = "left"
    batch = tokenizer.pad({"input_ids": [model.tokens(one) for one in prompts]}, return_tensors="pt")
    shared: dict[str, Any] = {
        "max_new_tokens": options.max_tokens,
        "eos_token_id": ends,
        "pad_token_id": tokenizer.pad_token_id,
    }
    greedy = model.torch_module.generate(**batch, do_sample=False, **shared)
    warm = model.torch_module.generate(
        **batch, do_sample=True, temperature=1.0, top_k=0, top_p=options.top_p,
        num_return_sequences=options.draws - 1, **shared,
    )  # fmt: skip
    width = batch["input_ids"].shape[1]
    made = [*greedy[:, width:], *warm[:, width:]]
    texts = tokenizer.batch_decode(greedy[:, width:], skip_special_tokens=True)
    count = sum(int((line != tokenizer.pad_token_id).sum()) for line in made)
    return [text.split("\n")[0] for text in texts], count


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="smollm2-135m-instruct")
    parser.add_argument("--prompts", type=int, default=25)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--max-tokens", type=int, default=12)
    parser.add_argument("--top-p", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    model = open_model(options.model, device=options.device)
    assert isinstance(model, TorchModel)
    prompts = [prompt(country, resolve(options.model).style) for country in COUNTRIES[: options.prompts]]
    print(
        f"{model.identity}\n{torch.get_num_threads()} threads, {len(prompts)} prompts, {options.draws} draws"
    )
    ends = line_ends(model)
    walls: dict[str, list[float]] = {"limitset": [], "transformers": []}
    used: dict[str, list[float]] = {"limitset": [], "transformers": []}
    for _ in range(options.repeats):
        start, busy = time.perf_counter(), time.process_time()
        replies = ours(model, prompts, options)
        walls["limitset"].append(time.perf_counter() - start)
        used["limitset"].append(time.process_time() - busy)
        own_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss if _ == 0 else own_peak
        start, busy = time.perf_counter(), time.process_time()
        texts, peer_tokens = peer(model, prompts, ends, options)
        walls["transformers"].append(time.perf_counter() - start)
        used["transformers"].append(time.process_time() - busy)
    for line, text in zip(replies, texts, strict=True):
        if line[0].text != text:
            raise SystemExit(f"greedy texts differ: {line[0].text!r} and {text!r}")
    tokens = {
        "limitset": sum(reply.tokens for line in replies for reply in line),
        "transformers": peer_tokens,
    }
    for who, counted in tokens.items():
        wall, busy = statistics.median(walls[who]), statistics.median(used[who])
        print(
            f"{who:13}{wall:7.2f} s  {busy:7.2f} processor s  {counted:5} tokens  {counted / wall:7.1f} tok/s"
        )
    ratio = (tokens["limitset"] / statistics.median(used["limitset"])) / (
        tokens["transformers"] / statistics.median(used["transformers"])
    )
    print(f"tokens per processor second, limitset over transformers: {ratio:.2f}; greedy texts agree")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"peak memory {own_peak / 1024:.0f} MB after limitset, {peak / 1024:.0f} MB after transformers")


if __name__ == "__main__":
    main()

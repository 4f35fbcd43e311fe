"""How is the trace of a model's layers run from its name to its page?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.datasets.anchored import anchored
from limitset.datasets.questions import QuestionSet
from limitset.models.opening import open_model, resolve
from limitset.report.page import Page, write_page
from limitset.store.disk import disk_errors
from limitset.studies.layers import (
    RECIPES,
    LayerPaths,
    LoopedBlock,
    layer_paths,
    looped_block,
    loops_table,
    residuals_table,
)
from limitset.studies.layers_page import layers_page

KINDS: Final = ("capital", "state", "currency", "continent")
"""Questions whose answer is a name: its first token says something, that of a number is often a space."""
LOOPED: Final = 10
"""Texts of the loop; they must be of one length."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LayersResult:
    """What the trace of a model's layers found.

    Parameters
    ----------
    page, path
        The page and where it was written.
    paths, blocks
        What it shows.
    """

    page: Page
    path: Path
    paths: LayerPaths
    blocks: tuple[LoopedBlock, ...]

    def summary(self) -> dict[str, Any]:
        """Return every number, ready for JSON."""
        return {
            "headline": list(self.page.headline),
            "layers": self.paths.table().records(),
            "loops": loops_table(self.blocks).records(),
            "residuals": residuals_table(self.blocks).records(),
            "page": str(self.path),
        }


def run_layers(
    model_name: str,
    *,
    out: Path,
    count: int = 32,
    loops: int = 64,
    block: tuple[int, int] | None = None,
    seed: int = 0,
    date: str,
    command: str = "limitset trace layers",
    progress: Callable[[str], None] | None = None,
) -> LayersResult:
    """Trace token states over the layers of a model, and a loop of its middle third, and write the page.

    Parameters
    ----------
    model_name
        As in `limitset.models.opening.resolve`.
    out
        Folder for `page.html`.
    count
        Questions, 2 or more; the loop takes up to 10 of one length.
    loops
        How often the block is applied at most.
    block
        First and last layer of the block, from 0; default the middle third.
    seed
        Decides which questions.
    date, command
        When and how it was called, for the reader.
    progress
        Called with one line before each stage.

    Returns
    -------
    LayersResult
        The page, its path, and every number.

    Raises
    ------
    InputError
        For a model that is no torch model, or fewer than two questions.

    Examples
    --------
    >>> done = run_layers("smollm2-135m-instruct", out=Path("layers"), date="22 Nov 2026")  # doctest: +SKIP
    >>> print(done.page.headline[0])  # doctest: +SKIP
    """
    if count < 2:
        raise InputError.of(expected="two questions or more", got=count, fix="Ask for 32.")
    say = progress or (lambda _: None)
    source = resolve(model_name)
    say(f"opening {source.name}")
    opened = open_model(model_name)
    module = getattr(opened, "torch_module", None)
    if module is None:
        raise InputError.of(
            expected="layers are those of a torch model",
            got=source.kind,
            fix="Give a packaged model or a folder.",
        )
    asked = questions_of(count, seed=seed)
    texts, accepted = texts_of(opened, asked)
    say(f"{len(texts)} texts over {module.config.num_hidden_layers} layers")
    paths = layer_paths(module, texts, accepted)
    layers = paths.step.shape[1]
    first, last = block or (layers // 3, max(2 * layers // 3 - 1, layers // 3))
    same, right = of_one_length(texts, accepted, most=LOOPED)
    blocks = []
    for injection, norm in RECIPES:
        say(f"looping layers {first} to {last}: injection {injection}, norm {norm}")
        blocks.append(
            looped_block(
                module,
                same,
                right,
                first=first,
                last=last,
                loops=loops,
                injection=injection,
                norm=norm,
                rng=Streams(seed).child("layers"),
            )
        )
    page = layers_page(
        paths,
        blocks,
        model=source.name,
        block=(first, last),
        loops=loops,
        date=date,
        command=command,
        provenance={
            "model": opened.identity,
            "questions": str(asked.manifest()["sha256"]),
            "seed": str(seed),
        },
        attributions=(*asked.attributions(), *([source.attribution] if source.attribution else [])),
    )
    path = out / "page.html"
    with disk_errors(path, doing="write the page"):
        out.mkdir(parents=True, exist_ok=True)
        write_page(page, path)
    return LayersResult(page=page, path=path, paths=paths, blocks=tuple(blocks))


def questions_of(count: int, *, seed: int) -> QuestionSet:
    """Return questions whose answers are names, each with one worked example."""
    whole = anchored()
    named = whole.only([item for item, one in whole.questions.items() if one.kind in KINDS]).take(count, seed)
    shown = {kind: examples[:1] for kind, examples in named.exemplars.items()}
    return QuestionSet.of(named.name, list(named.questions.values()), exemplars=shown, sources=named.sources)


def texts_of(model: Any, asked: QuestionSet) -> tuple[list[torch.Tensor], list[frozenset[int]]]:
    """Return the tokens of every question, and the tokens that begin an accepted answer."""
    texts, accepted = [], []
    for item, one in asked.questions.items():
        texts.append(torch.tensor(model.tokens(asked.prompt(item, wording=0, style="few_shot"))))
        answers = [
            model.tokenizer(f" {answer}", add_special_tokens=False).input_ids for answer in one.accepted
        ]
        accepted.append(frozenset(ids[0] for ids in answers if ids))
    return texts, accepted


def of_one_length(
    texts: Sequence[torch.Tensor], accepted: Sequence[frozenset[int]], *, most: int
) -> tuple[torch.Tensor, list[frozenset[int]]]:
    """Return the texts of the commonest length, `most` at most; the shorter where two are as common."""
    counts = Counter(len(ids) for ids in texts)
    length = min(counts, key=lambda one: (-counts[one], one))
    chosen = [row for row, ids in enumerate(texts) if len(ids) == length][:most]
    return torch.stack([texts[row] for row in chosen]), [accepted[row] for row in chosen]

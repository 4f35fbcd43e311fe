"""How are many replies to many prompts drawn in one go, each as if it were alone?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from limitset.core.errors import InputError
from limitset.core.replies import Draw, Reply
from limitset.core.streams import Streams
from limitset.core.undefined import UNDEFINED
from limitset.models.choosing import choose
from limitset.models.token_tree import TokenTree

VERSION: Final = 1
"""Raised when equal seeds no longer give equal replies."""

DEFAULT_BUDGET: Final = 2 << 30
"""Bytes that keys, values and logits of one group may take."""

SLOTS: Final = 4096
"""Nodes of one tree: every new node looks at all of them, so the cost of attention grows with this."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Replies drawn together.

    Parameters
    ----------
    replies
        Pairs (prompt, draw).
    slots
        Most nodes that the tree can come to hold.
    bytes
        Most memory that keys, values, masks and logits can take.
    """

    replies: tuple[tuple[int, int], ...]
    slots: int
    bytes: int


def plan(
    config: Any,
    prompts: Sequence[Sequence[int]],
    *,
    draws: int,
    max_tokens: int,
    budget: int = DEFAULT_BUDGET,
    itemsize: int = 4,
) -> tuple[Group, ...]:
    """Cut a chunk into groups that fit into memory.

    Parameters
    ----------
    config
        Configuration of the model.
    prompts
        Token ids of every prompt.
    draws
        Replies a prompt.
    max_tokens
        Tokens a reply at most.
    budget
        Bytes a group may take.
    itemsize
        Bytes of a number of the model.

    Returns
    -------
    tuple of Group
        In order; they depend on the arguments alone, so that a chunk drawn again is drawn alike.

    Raises
    ------
    InputError
        When one reply alone does not fit.
    """
    groups: list[Group] = []
    members: list[tuple[int, int]] = []
    slots, last = 0, -1
    for prompt, tokens in enumerate(prompts):
        for draw in range(draws):
            new = max_tokens + (0 if prompt == last else len(tokens) - _shared(prompts, last, prompt))
            needed = _bytes(config, slots + new, len(members) + 1, itemsize)
            if members and (slots + new > SLOTS or needed > budget):
                groups.append(_group(config, members, slots, itemsize))
                members, slots = [], 0
                new = max_tokens + len(tokens)
            members.append((prompt, draw))
            slots, last = slots + new, prompt
            if _bytes(config, slots, len(members), itemsize) > budget:
                raise InputError.of(
                    expected=f"one reply must fit into {budget >> 20} MiB",
                    got=f"a prompt of {len(tokens)} tokens and {max_tokens} new ones",
                    fix="Shorten the prompt, lower max_tokens, or raise the budget.",
                )
    if members:
        groups.append(_group(config, members, slots, itemsize))
    return tuple(groups)


@dataclass
class _Run:
    """A reply while it is drawn."""

    draw: Draw
    rng: Streams
    node: int
    tokens: list[int] = field(default_factory=list)
    logprob: float = 0.0
    margin: float = float("inf")
    finish: Literal["stop", "length"] = "length"
    text: str = ""


def sample(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    *,
    rows: Sequence[str],
    draws: Sequence[Draw],
    max_tokens: int,
    top_p: float,
    stop: tuple[str, ...],
    ends: frozenset[int],
    rng: Streams,
    budget: int = DEFAULT_BUDGET,
) -> list[list[Reply]]:
    """Draw every reply of a chunk.

    Parameters
    ----------
    model, tokenizer
        Of transformers.
    prompts
        Token ids, at least one each.
    rows
        A name for each prompt; the random number of a token depends on (rng, row, seed, step) alone.
    draws
        One reply of each prompt for each.
    max_tokens, top_p, stop
        As in `LanguageModel.generate`.
    ends
        Tokens that end a reply.
    rng
        Streams.
    budget
        Bytes for keys, values and logits.

    Returns
    -------
    list
        One list a prompt, one `Reply` a draw.

    Notes
    -----
    Which other replies are drawn at the same time can move a logit in its last bits (matrix products of
    another shape round otherwise), never a random number.
    """
    itemsize = next(model.parameters()).element_size()
    groups = plan(
        model.config, prompts, draws=len(draws), max_tokens=max_tokens, budget=budget, itemsize=itemsize
    )
    replies: list[list[Reply | None]] = [[None] * len(draws) for _ in prompts]
    for group in groups:
        tree = TokenTree(model)
        runs = [
            _Run(draws[draw], rng.child(rows[prompt], draws[draw].seed), tree.add_path(prompts[prompt]))
            for prompt, draw in group.replies
        ]
        _draw(tree, tokenizer, runs, max_tokens=max_tokens, top_p=top_p, stop=stop, ends=ends)
        for (prompt, draw), run in zip(group.replies, runs, strict=True):
            replies[prompt][draw] = _reply(run)
    return [[reply for reply in line if reply is not None] for line in replies]


def _draw(
    tree: TokenTree,
    tokenizer: Any,
    runs: list[_Run],
    *,
    max_tokens: int,
    top_p: float,
    stop: tuple[str, ...],
    ends: frozenset[int],
) -> None:
    live = runs
    for step in range(max_tokens):
        frontier = list(dict.fromkeys(run.node for run in live))
        logits = tree.logits(frontier)
        row_of = {node: row for row, node in enumerate(frontier)}
        choices = choose(
            logits,
            rows=[row_of[run.node] for run in live],
            temperatures=[run.draw.temperature for run in live],
            uniforms=[
                0.0 if run.draw.greedy else float(run.rng.uniforms([""], step=step)[0]) for run in live
            ],
            top_p=top_p,
        )
        del logits
        cut: dict[tuple[int, int], str | None] = {}
        for run, choice in zip(live, choices, strict=True):
            run.tokens.append(choice.token)
            run.logprob += choice.logprob
            run.margin = min(run.margin, choice.margin)
            path = run.node, choice.token
            if choice.token in ends:
                run.finish, run.text = "stop", _decoded(tokenizer, run.tokens[:-1])
                continue
            if path not in cut:
                cut[path] = _cut(tokenizer, run.tokens, stop)
            text = cut[path]
            if text is not None:
                run.finish, run.text = "stop", text
        going = [run for run in live if run.finish != "stop"]
        if step + 1 == max_tokens or not going:
            break
        live = _advanced(tree, going)
    for run in runs:
        if run.finish == "length":
            run.text = _decoded(tokenizer, run.tokens)


def _advanced(tree: TokenTree, runs: list[_Run]) -> list[_Run]:
    frontier = list(dict.fromkeys(run.node for run in runs))
    moved = dict(zip(frontier, tree.compact(frontier), strict=True))
    paths = list(dict.fromkeys((moved[run.node], run.tokens[-1]) for run in runs))
    nodes = tree.add_children([node for node, _ in paths], [token for _, token in paths])
    node_of = dict(zip(paths, nodes, strict=True))
    for run in runs:
        run.node = node_of[moved[run.node], run.tokens[-1]]
    return runs


def _cut(tokenizer: Any, tokens: list[int], stop: tuple[str, ...]) -> str | None:
    """Return the text before the first stop text; None where none has come."""
    if not stop:
        return None
    # a stop text that ended with this token lies in the last few tokens, one character or more each
    tail = _decoded(tokenizer, tokens[-(max(map(len, stop)) + 4) :])
    if not any(one in tail for one in stop):
        return None
    text = _decoded(tokenizer, tokens)
    places = [text.find(one) for one in stop if one in text]
    return text[: min(places)] if places else None


def _decoded(tokenizer: Any, tokens: list[int]) -> str:
    return str(tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def _reply(run: _Run) -> Reply:
    return Reply(
        text=run.text,
        tokens=len(run.tokens),
        logprob=run.logprob,
        margin=run.margin if run.draw.greedy else UNDEFINED,
        finish=run.finish,
    )


def _shared(prompts: Sequence[Sequence[int]], first: int, second: int) -> int:
    if first < 0:
        return 0
    count = 0
    for one, other in zip(prompts[first], prompts[second], strict=False):
        if one != other:
            break
        count += 1
    return count


def _bytes(config: Any, slots: int, replies: int, itemsize: int) -> int:
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    # keys and values are copied once while they grow; logits exist twice while they are gathered
    cache: int = 2 * 2 * slots * config.num_hidden_layers * heads * size * itemsize
    return cache + 2 * replies * int(config.vocab_size) * 4 + 2 * replies * slots * itemsize


def _group(config: Any, members: list[tuple[int, int]], slots: int, itemsize: int) -> Group:
    return Group(replies=tuple(members), slots=slots, bytes=_bytes(config, slots, len(members), itemsize))

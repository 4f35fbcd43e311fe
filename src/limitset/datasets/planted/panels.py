"""What do panels look like whose truth is known exactly?

A `World` is a mixture of kinds of question. In each kind every cell (system and paraphrase) has its own
chances of ending in each answer class; class 0 is right, and what is missing to 1 abstains. Every statistic
has an exact population value, so that intervals can be checked for their coverage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from limitset.core.columns import frozen
from limitset.core.ends import Ends
from limitset.core.errors import InputError
from limitset.core.items import Items
from limitset.core.tallies import Tallies
from limitset.core.undefined import UNDEFINED


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Kinds of question with their chances.

    Parameters
    ----------
    weights : (t,)
        Share of each kind of question; sums to 1.
    shares : (t, m, p, c)
        Chance that a run of system m with paraphrase p ends in class c; class 0 is right, class 1 is the lure
        where `lured`. Sums to at most 1; the rest abstains.
    kinds : (t,)
        Name of each kind, the stratum of its questions.
    lured : (t,)
        Whether class 1 is a known lure.
    """

    weights: Float[np.ndarray, " t"]
    shares: Float[np.ndarray, "t m p c"]
    kinds: tuple[str, ...]
    lured: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        weights, shares = np.asarray(self.weights, dtype=float), np.asarray(self.shares, dtype=float)
        if shares.ndim != 4 or weights.shape != shares.shape[:1] or len(self.kinds) != weights.size:
            raise InputError.of(
                expected="shares must be (kinds, systems, paraphrases, classes), a weight and a name a kind",
                got=f"{weights.shape} and {shares.shape}",
                fix="Align them.",
            )
        if abs(weights.sum() - 1) > 1e-9 or (shares < 0).any() or (shares.sum(axis=3) > 1 + 1e-9).any():
            raise InputError.of(
                expected="weights must sum to 1 and the shares of a cell to at most 1",
                got=f"weights {weights.sum()}, largest cell {shares.sum(axis=3).max()}",
                fix="Rescale them.",
            )
        object.__setattr__(self, "weights", frozen(weights))
        object.__setattr__(self, "shares", frozen(shares))
        object.__setattr__(self, "lured", self.lured or (False,) * weights.size)

    def abstaining(self, rate: float) -> World:
        """Return the world in which every run abstains with this chance first."""
        return World(
            weights=self.weights, shares=self.shares * (1 - rate), kinds=self.kinds, lured=self.lured
        )


def mixture_world(
    *,
    models: int = 1,
    paraphrases: int = 1,
    weights: Sequence[float] = (0.6, 0.2, 0.2),
    easy: float = 0.9,
    dispersed: int = 4,
    trap: tuple[float, float] = (0.2, 0.7),
) -> World:
    """60 % easy questions (.9 right), 20 % dispersed (four classes at .25), 20 % traps (.2 right, .7 lure).

    Parameters
    ----------
    models, paraphrases
        Cells, all alike.
    weights
        Shares of the three kinds.
    easy
        Chance to be right on easy questions; the rest is one wrong class.
    dispersed
        Equally likely classes of a dispersed question, the right one among them, at least 3.
    trap
        Chances of the right class and of the lure; the rest is a third class.

    Examples
    --------
    >>> world = mixture_world()
    >>> round(float(world.weights @ world.shares[:, 0, 0, 0]), 4)  # .6 * .9 + .2 * .25 + .2 * .2
    0.63
    """
    table = np.zeros((3, max(dispersed, 3)))
    table[0, :2] = easy, 1 - easy
    table[1, :dispersed] = 1 / dispersed
    table[2, :3] = trap[0], trap[1], 1 - trap[0] - trap[1]
    return World(
        weights=np.array(weights),
        shares=_alike(table, models, paraphrases),
        kinds=("easy", "dispersed", "trap"),
        lured=(False, False, True),
    )


def independent_world(*, accuracy: float, wrong_classes: int, models: int = 1, paraphrases: int = 1) -> World:
    """One kind of question: right with one chance, the rest spread evenly over the wrong classes.

    Examples
    --------
    >>> independent_world(accuracy=0.4, wrong_classes=3).shares[0, 0, 0].round(3).tolist()
    [0.4, 0.2, 0.2, 0.2]
    """
    table = np.array([[accuracy] + [(1 - accuracy) / wrong_classes] * wrong_classes])
    return World(weights=np.ones(1), shares=_alike(table, models, paraphrases), kinds=("all",))


def shared_difficulty_world(
    *, accuracies: Sequence[float] = (0.95, 0.7, 0.4, 0.1), wrong_classes: int = 3, models: int = 1
) -> World:
    """Questions differ in difficulty alone: wrong answers are spread evenly, so nobody shares a falsehood.

    Examples
    --------
    >>> shared_difficulty_world().shares[1, 0, 0].round(3).tolist()
    [0.7, 0.1, 0.1, 0.1]
    """
    table = np.array([[a] + [(1 - a) / wrong_classes] * wrong_classes for a in accuracies])
    kinds = tuple(f"accuracy {a}" for a in accuracies)
    return World(
        weights=np.full(len(accuracies), 1 / len(accuracies)), shares=_alike(table, models, 1), kinds=kinds
    )


def clones_world(*, accuracy: float, wrong_classes: int = 3, models: int = 3) -> World:
    """Systems that always give the same answer as one another, and each the same answer in every run.

    Examples
    --------
    >>> clones_world(accuracy=0.6).weights.round(3).tolist()
    [0.6, 0.133, 0.133, 0.133]
    """
    table = np.eye(wrong_classes + 1)
    weights = np.array([accuracy] + [(1 - accuracy) / wrong_classes] * wrong_classes)
    return World(
        weights=weights, shares=_alike(table, models, 1), kinds=("known",) + ("unknown",) * wrong_classes
    )


def judges_world() -> World:
    """Five judges of true or false statements: four of falling accuracy, one wrong more often than right.

    Kinds: easy; hard; and traps, on which only the second judge is right more often than not.

    Examples
    --------
    >>> judges_world().shares[2, :, 0, 0].tolist()
    [0.2, 0.6, 0.2, 0.2, 0.2]
    """
    right = np.array([[0.95, 0.9, 0.85, 0.8, 0.4], [0.7, 0.65, 0.6, 0.5, 0.3], [0.2, 0.6, 0.2, 0.2, 0.2]])
    return World(
        weights=np.array([0.6, 0.25, 0.15]),
        shares=np.stack([right, 1 - right], axis=2)[:, :, None],
        kinds=("easy", "hard", "trap"),
    )


def beta_world(*, wrong_classes: int = 1, models: int = 1, nodes: int = 64) -> World:
    """Accuracy of a question uniform on [0, 1], Beta(1, 1), shared by all systems.

    The uniform law is replaced by Gauss-Legendre nodes: moments up to 2 * nodes - 1 are those of the uniform.

    Examples
    --------
    >>> world = beta_world()
    >>> round(float(world.weights @ world.shares[:, 0, 0, 0] ** 3), 6)  # the third moment
    0.25
    """
    points, weights = np.polynomial.legendre.leggauss(nodes)
    accuracies = (points + 1) / 2
    table = np.stack([accuracies] + [(1 - accuracies) / wrong_classes] * wrong_classes, axis=1)
    return World(weights=weights / weights.sum(), shares=_alike(table, models, 1), kinds=("all",) * nodes)


def stratified_world(*, paraphrase_shift: float = 0.1) -> World:
    """Two systems of different accuracy, two paraphrases, five kinds of question; traps partly shared.

    Kinds: easy for both; hard for the second system; dispersed; a trap for both; a trap for the first only.

    Parameters
    ----------
    paraphrase_shift
        Chance that the second paraphrase takes from the most likely class and gives to the last one.

    Examples
    --------
    >>> world = stratified_world()
    >>> world.shares.shape
    (5, 2, 2, 4)
    """
    easy, hard = [0.85, 0.05, 0.05, 0.05], [0.45, 0.25, 0.2, 0.1]
    even, trap = [0.3, 0.3, 0.2, 0.2], [0.15, 0.7, 0.1, 0.05]
    by_system = np.array([[easy, easy], [easy, hard], [even, even], [trap, trap], [trap, easy]])
    shares = np.stack([by_system, by_system], axis=2)
    likely = by_system.argmax(axis=2)[..., None]
    shifted = shares[:, :, 1].copy()
    np.put_along_axis(shifted, likely, np.take_along_axis(shifted, likely, axis=2) - paraphrase_shift, axis=2)
    shifted[:, :, -1] += paraphrase_shift
    shares[:, :, 1] = shifted
    return World(
        weights=np.array([0.4, 0.15, 0.15, 0.2, 0.1]),
        shares=shares,
        kinds=("easy", "hard", "dispersed", "trap", "half trap"),
        lured=(False, False, False, True, True),
    )


def planted_panel(
    world: World, *, questions: int, seeds: int, rng: np.random.Generator, temperature: float = 0.7
) -> tuple[Ends, Items]:
    """Draw questions of a world and runs of every cell on them.

    Parameters
    ----------
    world
        The kinds of question and their chances.
    questions
        How many; their kinds are drawn.
    seeds
        Runs of each system and paraphrase on each question.
    rng
        Source of all draws.
    temperature
        Written into the rows.

    Returns
    -------
    Ends, Items
        ``questions * systems * paraphrases * seeds`` runs; the stratum of an item is its kind.

    Examples
    --------
    >>> ends, items = planted_panel(mixture_world(), questions=3, seeds=2, rng=np.random.default_rng(0))
    >>> len(ends), len(items)
    (6, 3)
    """
    kinds, ended = _drawn(world, questions, seeds, rng)
    names = [f"q{row}" for row in range(questions)]
    q, m, p, s = (axis.ravel() for axis in np.indices(ended.shape))
    flat = ended.ravel()
    classes = world.shares.shape[3]
    answer = [
        None if c == classes else _answer(names[row], c) for row, c in zip(q, flat.tolist(), strict=True)
    ]
    ends = Ends.of(
        item=[names[row] for row in q],
        system=[f"m{row}" for row in m],
        paraphrase=[f"p{row}" for row in p],
        seed=s,
        temperature=np.full(flat.size, temperature),
        end=answer,
        right=np.where(flat == classes, UNDEFINED, flat == 0),
    )
    items = Items.of(
        item=names,
        text=[f"What is the answer to {name}?" for name in names],
        accepted=[[_answer(name, 0)] for name in names],
        lure=[
            _answer(name, 1) if world.lured[kind] else None for name, kind in zip(names, kinds, strict=True)
        ],
        stratum=[world.kinds[kind] for kind in kinds],
        anchor="planted",
        anchor_error=np.zeros(questions),
    )
    return ends, items


def planted_tallies(world: World, *, questions: int, seeds: int, rng: np.random.Generator) -> Tallies:
    """Return what `tallied(*planted_panel(...))` counts, without building the rows: for many simulations.

    Classes that no run ended in are kept with count 0; the order of classes is theirs in the world.
    """
    kinds, ended = _drawn(world, questions, seeds, rng)
    _, models, paraphrases, classes = world.shares.shape
    counts = (ended[..., None] == np.arange(classes)).sum(axis=3)
    flat = counts.reshape(questions, models * paraphrases, classes).transpose(1, 0, 2)
    runs = np.full((models * paraphrases, questions), seeds)
    return Tallies(
        items=np.array([f"q{row}" for row in range(questions)], dtype=object),
        strata=np.array([world.kinds[kind] for kind in kinds], dtype=object),
        anchor_error=np.zeros(questions),
        systems=np.array([f"m{m}" for m in range(models) for _ in range(paraphrases)], dtype=object),
        paraphrases=np.array([f"p{p}" for _ in range(models) for p in range(paraphrases)], dtype=object),
        class_item=np.repeat(np.arange(questions), classes),
        class_name=np.array([_answer("", c) for c in range(classes)] * questions, dtype=object),
        class_right=np.tile(np.arange(classes) == 0, questions).astype(float),
        counts=flat.reshape(models * paraphrases, questions * classes),
        runs=runs,
        abstained=runs - flat.sum(axis=2),
        unparsed=np.zeros_like(runs),
    )


def _alike(table: Float[np.ndarray, "t c"], models: int, paraphrases: int) -> Float[np.ndarray, "t m p c"]:
    return np.repeat(np.repeat(table[:, None, None], models, axis=1), paraphrases, axis=2)


def _drawn(
    world: World, questions: int, seeds: int, rng: np.random.Generator
) -> tuple[Int[np.ndarray, " q"], Int[np.ndarray, "q m p s"]]:
    """Draw the kind of each question and the class of each run (the number of classes: abstained)."""
    kinds = rng.choice(world.weights.size, size=questions, p=world.weights)
    edges = np.cumsum(world.shares, axis=3)[kinds][..., None, :]
    chance = rng.random((*edges.shape[:3], seeds))[..., None]
    # an edge that rounds to just below 1 must not turn a full cell into an abstention
    edges = np.where(edges > 1 - 1e-12, 1.0, edges)
    return kinds, (chance >= edges).sum(axis=-1)


def _answer(item: str, which: int) -> str:
    return f"{item} right" if which == 0 else f"{item} wrong {which}"

"""How often is the vote of some of the voters wrong, and of the same with one voter more or less?

A *ballot* is one run of a voter on a question. A voter with several runs casts one of them at random, so
there are several *rounds*, each with one run of every voter. A vote is wrong when its plurality is wrong or
nobody answers; tied pluralities count the share of wrong answers among the tied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from limitset.core.tallies import Tallies

MOST_BALLOTS: Final = 4_000_000
"""Ballots cast in all rounds of a panel: beyond, single runs of many questions say enough."""
MOST_ABSENT: Final = 0.1
"""A voter that lacks more of the questions than this is left out; else the questions that it lacks are."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ballots:
    """One run of every voter on every question, in one or several rounds.

    Parameters
    ----------
    voters
        Their names.
    slot : (m, n)
        Answer of each voter in each round of each question: a number that no other question shares. Rounds
        come one after the other, each with all questions.
    first : (n,)
        First slot of each round of each question; its last slot is silence.
    wrong : (s,)
        Whether the answer of a slot is wrong; silence is.
    silent : (s,)
        Which slots are silence.
    items, clusters : (q,)
        The questions.
    left_out
        Voters that were left out because they lack too many questions.
    lacking
        Questions that were left out because a voter has no run on them.
    """

    voters: tuple[str, ...]
    slot: Int[np.ndarray, "m n"]
    first: Int[np.ndarray, " n"]
    wrong: Bool[np.ndarray, " s"]
    silent: Bool[np.ndarray, " s"]
    items: np.ndarray
    clusters: Int[np.ndarray, " q"]
    left_out: tuple[str, ...] = ()
    lacking: int = 0

    @property
    def rounds(self) -> int:
        """How often every voter votes on every question."""
        return int(self.slot.shape[1] // max(self.items.size, 1))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, and how votes are counted."""
        told = [
            "tied pluralities count the share of wrong answers among the tied",
            "a vote in which nobody answers is wrong",
        ]
        if self.left_out:
            names = ", ".join(self.left_out[:5]) + (" and more" if len(self.left_out) > 5 else "")
            told.append(f"left out for lacking over a tenth of the questions: {names}")
        if self.lacking:
            told.append(f"{self.lacking} questions left out on which a voter has no run")
        if self.rounds > 1:
            told.append(f"each voter casts one of its runs: {self.rounds} rounds")
        return tuple(told)

    def by_question(self, per_round: Float[np.ndarray, "*s n"]) -> Float[np.ndarray, "*s q"]:
        """Average over the rounds of each question."""
        return np.asarray(
            per_round.reshape(*per_round.shape[:-1], self.rounds, self.items.size).mean(axis=-2)
        )

    def cast(self, members: Sequence[int] | Int[np.ndarray, " v"]) -> Int[np.ndarray, " s"]:
        """Return the votes in each slot when these voters vote."""
        return np.bincount(self.slot[np.asarray(members, dtype=int)].ravel(), minlength=self.wrong.size)


def ballots_of_systems(tallies: Tallies, *, rounds: int, rng: np.random.Generator) -> Ballots:
    """Let every system cast one of its runs.

    Parameters
    ----------
    tallies
        Runs by cell and answer class; the cells of a system are pooled.
    rounds
        Rounds of votes where a system has several runs; else one round says everything. Fewer where systems
        times questions times rounds would pass four million: many questions average the choice of runs out.
    rng
        Chooses the runs.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item=[*"pq"] * 2, system=[*"aabb"], end=["x", "y", "z", None], right=[1, 0, 0, None])
    >>> ballots = ballots_of_systems(tallied(ends), rounds=9, rng=np.random.default_rng(0))
    >>> ballots.slot.tolist(), ballots.silent.tolist()
    ([[0, 3], [1, 4]], [False, False, True, False, True])
    """
    names = list(dict.fromkeys(str(name) for name in tallies.systems))
    cells = {name: np.flatnonzero(tallies.systems.astype(str) == name) for name in names}
    runs = np.stack([tallies.runs[cells[name]].sum(axis=0) for name in names])
    here = (runs > 0).mean(axis=1) if tallies.items.size else np.ones(len(names))
    complete = here >= 1 - MOST_ABSENT
    chosen = [row for row in range(len(names)) if complete[row]]
    mask = np.asarray((runs[chosen] > 0).all(axis=0) & bool(chosen))
    whole = bool(mask.all())
    kept = tallies if whole else tallies.of_questions(mask)
    repeats = rounds if int((runs[chosen] * mask).max(initial=0)) > 1 else 1
    repeats = max(1, min(repeats, MOST_BALLOTS // max(len(chosen) * kept.items.size, 1)))
    size = kept.class_item.size + kept.items.size
    slots = np.zeros((len(chosen), repeats * kept.items.size), dtype=np.int32)
    for place, row in enumerate(chosen):
        own = runs[row][mask]
        drawn = _drawn(kept, kept.counts[cells[names[row]]].sum(axis=0), own, _ranks(own, repeats, rng))
        slots[place] = (drawn + size * np.arange(repeats)[:, None]).ravel()
    return _ballots(
        kept,
        tuple(names[row] for row in chosen),
        slots,
        left_out=tuple(name for row, name in enumerate(names) if not complete[row]),
        lacking=int(tallies.items.size - kept.items.size),
    )


def ballots_of_runs(tallies: Tallies, *, runs: int, rng: np.random.Generator) -> Ballots:
    """Let every run of one pooled cell vote, on the questions that have so many.

    Parameters
    ----------
    tallies
        One pooled cell.
    runs
        Voters; a question with more runs has this many of them chosen at random.
    rng
        Chooses the runs.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="q", system="m", seed=[0, 1, 2], end=[*"xyx"], right=[1, 0, 1])
    >>> ballots_of_runs(tallied(ends), runs=3, rng=np.random.default_rng(0)).slot.ravel().tolist()
    [0, 0, 1]
    """
    mask = tallies.runs[0] >= runs
    kept = tallies.of_questions(mask)
    own = kept.runs[0]
    rank = np.broadcast_to(np.arange(runs)[:, None], (runs, own.size))
    if own.size and own.max() > runs:
        places = np.arange(own.max())[:, None]
        order = np.argsort(np.where(places < own, rng.random((int(own.max()), own.size)), 2.0), axis=0)
        rank = order[:runs]
    slots = _drawn(kept, kept.counts[0], own, rank)
    names = tuple(f"run {run + 1}" for run in range(runs))
    return _ballots(kept, names, slots, left_out=(), lacking=int((~mask).sum()))


def _ballots(
    kept: Tallies, names: tuple[str, ...], slots: np.ndarray, *, left_out: tuple[str, ...], lacking: int
) -> Ballots:
    questions, classes = kept.items.size, kept.class_item.size
    repeats = slots.shape[1] // max(questions, 1)
    first = np.searchsorted(kept.class_item, np.arange(questions)) + np.arange(questions)
    size = classes + questions
    silent = np.ones(size, dtype=bool)
    silent[np.arange(classes) + kept.class_item] = False
    wrong = np.ones(size, dtype=bool)
    wrong[np.arange(classes) + kept.class_item] = ~kept.right
    starts = (first[None] + size * np.arange(repeats)[:, None]).ravel()
    return Ballots(
        voters=names,
        slot=slots.astype(np.int32, copy=False),
        first=starts.astype(np.int64),
        wrong=np.tile(wrong, repeats),
        silent=np.tile(silent, repeats),
        items=kept.items,
        clusters=np.unique(kept.clusters, return_inverse=True)[1].reshape(-1),
        left_out=left_out,
        lacking=lacking,
    )


def _ranks(runs: Int[np.ndarray, " q"], rounds: int, rng: np.random.Generator) -> Int[np.ndarray, "r q"]:
    """Which run is cast in each round: over all rounds, every run as often as another."""
    if rounds == 1:
        return np.zeros((1, runs.size), dtype=np.int64)
    places = rng.permuted(np.tile(np.arange(rounds)[:, None], (1, runs.size)), axis=0)
    return np.asarray(((places + rng.random((1, runs.size))) / rounds * runs).astype(np.int64))


def _drawn(
    kept: Tallies, counts: Int[np.ndarray, " k"], runs: Int[np.ndarray, " q"], rank: Int[np.ndarray, "r q"]
) -> Int[np.ndarray, "r q"]:
    """Slots of the runs of the given ranks, answers first and silent runs last."""
    questions = kept.items.size
    first = np.searchsorted(kept.class_item, np.arange(questions + 1))
    reached = np.concatenate([[0], np.cumsum(counts)])
    before, answered = reached[first[:-1]], reached[first[1:]] - reached[first[:-1]]
    rank = np.minimum(rank, np.maximum(runs - 1, 0))
    place = np.searchsorted(reached[1:], (before + rank).ravel(), side="right").reshape(rank.shape)
    silent = first[1:] + np.arange(questions)
    slot = np.where(rank < answered, place + np.arange(questions), silent)
    return np.asarray(slot)


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """A vote that has been counted: who leads in each round of each question.

    Parameters
    ----------
    votes : (s,)
        Votes in each slot; 0 for silence.
    top, leaders, wrong : (n,)
        Votes of the leading answers, how many lead, and how many of these are wrong.
    """

    votes: Int[np.ndarray, " s"]
    top: Int[np.ndarray, " n"]
    leaders: Float[np.ndarray, " n"]
    wrong: Float[np.ndarray, " n"]

    @property
    def error(self) -> Float[np.ndarray, " n"]:
        """Share of wrong answers among the leaders; 1 where nobody answers."""
        return np.asarray(np.where(self.top > 0, self.wrong / np.maximum(self.leaders, 1), 1.0))


def counted(ballots: Ballots, votes: Int[np.ndarray, " s"]) -> Standing:
    """Count a vote.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="q", system=[*"abc"], end=[*"xxy"], right=[1, 1, 0])
    >>> ballots = ballots_of_systems(tallied(ends), rounds=1, rng=np.random.default_rng(0))
    >>> [counted(ballots, ballots.cast(some)).error.tolist() for some in ([0, 1, 2], [0, 2], [2])]
    [[0.0], [0.5], [1.0]]
    """
    votes = np.where(ballots.silent, 0, votes)
    top = np.maximum.reduceat(votes, ballots.first)
    return Standing(votes=votes, top=top, **_level(ballots, votes, top))


def after_adding(ballots: Ballots, standing: Standing) -> Float[np.ndarray, " s"]:
    """Return the error of each round and question when one more voter chooses the slot."""
    more, at = standing.votes + 1, _instance(ballots)
    top, leaders, lost = standing.top[at], standing.leaders[at], standing.wrong[at]
    joined = np.where(more == top, (lost + ballots.wrong) / (leaders + 1), standing.error[at])
    led = np.where(more > top, ballots.wrong.astype(np.float64), joined)
    return np.asarray(np.where(ballots.silent, standing.error[at], led))


def after_removing(ballots: Ballots, standing: Standing) -> Float[np.ndarray, " s"]:
    """Return the error of each round and question when a voter leaves who chose the slot."""
    at = _instance(ballots)
    top, leaders, lost = standing.top[at], standing.leaders[at], standing.wrong[at]
    below = _level(ballots, standing.votes, standing.top - 1)
    others, bad = below["leaders"][at], below["wrong"][at]
    shared = (lost - ballots.wrong) / np.maximum(leaders - 1, 1)
    alone = np.where(top > 1, (bad + ballots.wrong) / (others + 1), 1.0)
    left = np.where(leaders > 1, shared, alone)
    leads = (standing.votes == top) & (top > 0) & ~ballots.silent
    return np.asarray(np.where(leads, left, standing.error[at]))


def errors_without_each(ballots: Ballots) -> tuple[Float[np.ndarray, " q"], Float[np.ndarray, "m q"]]:
    """Return the error of everybody's vote on each question, and of the vote without each voter.

    Examples
    --------
    >>> from limitset.core.ends import Ends
    >>> from limitset.core.tallies import tallied
    >>> ends = Ends.of(item="q", system=[*"abc"], end=[*"xxy"], right=[1, 1, 0])
    >>> ballots = ballots_of_systems(tallied(ends), rounds=1, rng=np.random.default_rng(0))
    >>> whole, without = errors_without_each(ballots)
    >>> whole.tolist(), without.ravel().tolist()  # two against one; a tie without a or b
    ([0.0], [0.5, 0.5, 0.0])
    """
    standing = counted(ballots, ballots.cast(range(len(ballots.voters))))
    per_slot = after_removing(ballots, standing)
    without = [ballots.by_question(per_slot[own]) for own in ballots.slot]
    questions = ballots.items.size
    return ballots.by_question(standing.error), np.stack(without) if without else np.zeros((0, questions))


def _level(ballots: Ballots, votes: np.ndarray, top: np.ndarray) -> dict[str, Float[np.ndarray, " n"]]:
    """How many answers have this many votes, and how many of these are wrong."""
    at = (votes == top[_instance(ballots)]) & (votes > 0)
    return {
        "leaders": np.add.reduceat(at.astype(np.float64), ballots.first),
        "wrong": np.add.reduceat((at & ballots.wrong).astype(np.float64), ballots.first),
    }


def _instance(ballots: Ballots) -> Int[np.ndarray, " s"]:
    """Return the round and question of each slot."""
    sizes = np.diff(np.append(ballots.first, ballots.wrong.size))
    return np.repeat(np.arange(ballots.first.size), sizes)

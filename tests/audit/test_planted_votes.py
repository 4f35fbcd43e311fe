"""Exact values of planted votes against simulation, closed forms and known values."""

import numpy as np
import pytest

from limitset.core.majorities import kish_number, majority_accuracy
from limitset.datasets.planted import (
    clones_world,
    independent_world,
    judges_world,
    mixture_world,
    planted_tallies,
    population_correlation,
    population_error,
    population_sent,
    population_vote,
    population_vote_of_size,
    shared_difficulty_world,
)
from limitset.instruments.truth import escalation, voting_gain


def test_independent_voters_are_the_binomial():
    world = independent_world(accuracy=0.7, wrong_classes=1, models=5)
    for votes in (1, 3, 5):
        expected = 1 - float(majority_accuracy(votes, 0.7))
        assert population_vote_of_size(world, votes) == pytest.approx(expected)
    assert population_correlation(world) == pytest.approx(0.0, abs=1e-12)


def test_known_values_of_the_mixture():
    world = mixture_world(models=9)
    assert float(kish_number(9, population_correlation(world))) == pytest.approx(1.890, abs=0.005)
    # the other enumeration, by the law of counts: nobody is silent here
    small = mixture_world(models=5)
    for votes in (1, 2, 5):
        assert population_vote_of_size(small, votes) == pytest.approx(
            population_error(small, votes=votes, seeds=1)
        )


def test_clones_are_one():
    world = clones_world(accuracy=0.6, models=3)
    assert population_vote(world, [0, 1, 2]) == pytest.approx(0.4)
    assert population_correlation(world) == pytest.approx(1.0)


def test_shared_difficulty_correlates_errors_alone():
    # accuracies .95 .7 .4 .1: mean error .4625, variance of it over questions, over p (1 - p)
    wrong = np.array([0.05, 0.3, 0.6, 0.9])
    expected = wrong.var() / (wrong.mean() * (1 - wrong.mean()))
    assert population_correlation(shared_difficulty_world(models=4)) == pytest.approx(expected)


def test_silence_counts_as_wrong():
    world = independent_world(accuracy=1.0, wrong_classes=1, models=2).abstaining(0.5)
    assert population_vote(world, [0, 1]) == pytest.approx(0.25)


@pytest.mark.parametrize("world", [judges_world(), mixture_world(models=4).abstaining(0.1)])
def test_by_simulation(world):
    tallies = planted_tallies(world, questions=6000, seeds=1, rng=np.random.default_rng(0))
    systems = world.shares.shape[1]
    got = voting_gain(tallies, rng=np.random.default_rng(0)).errors.where(null_kind="", unit="systems")
    for votes in (1, systems - 1, systems):
        assert got.one(votes=votes).value == pytest.approx(population_vote_of_size(world, votes), abs=0.02)
    sent = escalation(tallies).values
    for row in sent.where(quantity="sent").rows():
        votes = round(row.parameters["threshold"] * systems)
        assert row.value == pytest.approx(population_sent(world, votes)[0], abs=0.02)

"""Does the trace of layers measure what its words say, and does a page tell what settles?"""

from pathlib import Path

import numpy as np
import pytest
import torch

from limitset.charts.shown import percent
from limitset.core.errors import InputError
from limitset.core.streams import Streams
from limitset.models.getting import get
from limitset.report.page import render
from limitset.studies.layers import (
    LayerPaths,
    layer_paths,
    looped_block,
    loops_table,
    mean_of,
    residuals_table,
    states_of,
)
from limitset.studies.layers_page import layers_page
from limitset.studies.layers_run import of_one_length, questions_of, run_layers
from maps.latent_models import tiny_gemma, tiny_gpt2, tiny_llama

IDS = torch.randint(3, 40, (4, 9), generator=torch.Generator().manual_seed(0))
RNG = Streams(0)


@pytest.fixture(scope="module")
def llama():
    return tiny_llama()


@pytest.fixture(scope="module")
def paths(llama):
    tops = llama(IDS, use_cache=False).logits[:, -1].argmax(-1).tolist()
    # the first text's own token is accepted, the second's is not, the others have no key
    return layer_paths(
        llama, list(IDS), [frozenset({tops[0]}), frozenset({39 - tops[1]}), frozenset(), frozenset()]
    )


@pytest.fixture(scope="module")
def blocks(llama):
    accepted = [frozenset({token}) for token in range(4)]
    return [
        looped_block(
            llama,
            IDS,
            accepted,
            first=1,
            last=2,
            loops=40,
            injection=injection,
            norm=norm,
            spectra=1,
            rng=RNG,
        )
        for injection, norm in (("none", "none"), ("additive", "rms"))
    ]


@pytest.mark.parametrize("make", [tiny_llama, tiny_gemma, tiny_gpt2])
def test_the_states_are_those_of_the_model_and_the_last_is_read_before_its_norm(make):
    model = make()
    with torch.no_grad():
        wanted = model(IDS[:1], output_hidden_states=True, use_cache=False)
    states = states_of(model, IDS[0])
    assert torch.allclose(states[:-1], torch.cat(wanted.hidden_states)[:-1], atol=1e-6)
    assert not torch.allclose(states[-1], wanted.hidden_states[-1][0], atol=1e-2)
    found = layer_paths(model, [IDS[0]], [frozenset()])
    chances = wanted.logits[0, -1].log_softmax(-1)
    # entropy at the last layer is that of the model itself
    assert found.entropy[0, -1] == pytest.approx(
        float(-(chances.exp() * chances).sum() / np.log(2)), abs=1e-4
    )


def test_steps_leave_position_0_out_and_the_other_number_does_not(llama, paths):
    states = states_of(llama, IDS[2]).double().numpy()
    by_hand = [
        np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(states[1, 1:], states[2, 1:], strict=True)
    ]
    assert paths.step[2, 1] == pytest.approx(np.mean(by_hand), rel=1e-5)
    whole = np.linalg.norm(states[2] - states[1]) / np.linalg.norm(states[1])
    assert paths.step_with_sink[2, 1] == pytest.approx(whole, rel=1e-5)
    assert paths.sink_norm[2, 3] == pytest.approx(np.linalg.norm(states[3, 0]), rel=1e-5)
    assert paths.norm[2, 3] == pytest.approx(np.linalg.norm(states[3, 1:], axis=-1).mean(), rel=1e-5)
    assert paths.cosine.shape == (4, 3)
    cosines = [
        np.dot(states[1, p] - states[0, p], states[2, p] - states[1, p])
        / np.linalg.norm(states[1, p] - states[0, p])
        / np.linalg.norm(states[2, p] - states[1, p])
        for p in range(1, 9)
    ]
    assert paths.cosine[2, 0] == pytest.approx(np.mean(cosines), rel=1e-4)


def test_right_is_blank_without_a_key_and_judged_with_one(paths):
    assert paths.right[:2, -1].tolist() == [1.0, 0.0]
    assert np.isnan(paths.right[2:]).all()
    assert paths.already_final[:, -1].tolist() == [1.0] * 4
    table = paths.table()
    last = table.one(measure="right", layer=4)
    assert (last.value, last.n) == (0.5, 2.0)
    assert table.one(measure="step", layer=1).n == 4
    assert table.one(measure="cosine", layer=2).low < table.one(measure="cosine", layer=2).high
    bare = LayerPaths(**{**vars(paths), "right": np.full((4, 5), np.nan)}).table()
    assert bare.one(measure="right", layer=4).blank_reason == "no anchor"


def test_means_leave_blanks_out():
    # mean 2, s / sqrt 3 = 1 / 1.732, t(2, .975) = 4.3027
    got = mean_of(np.array([1.0, 2.0, 3.0, np.nan]))
    assert (got.value, got.n) == (2.0, 3.0)
    assert got.high - 2.0 == pytest.approx(4.3027 / 3**0.5, abs=1e-3)
    assert np.isnan(mean_of(np.array([1.0])).low)
    assert mean_of(np.array([np.nan])).blank_reason == "no anchor"


def test_a_plain_residual_loop_drifts_and_one_with_norm_and_injection_rests(blocks):
    plain, both = blocks
    assert plain.name == "plain"
    assert not plain.runs.settled.any()
    assert (plain.growth > 3).all()
    assert both.name == "norm + injection"
    # the norm of every token is kept, so the loop cannot grow
    assert np.allclose(both.growth, 1.0, atol=1e-3)
    assert both.runs.residuals[:, 0].tolist() == [1.0] * 4  # from zero
    assert plain.radius.shape == both.radius.shape == (1,)


def test_position_0_counts_for_nothing_in_the_runs(llama):
    one = looped_block(llama, IDS, [frozenset()] * 4, first=1, last=2, loops=5, spectra=0, rng=RNG)
    block = states_of(llama, IDS[0])
    assert one.runs.norms[0, 0] == pytest.approx(float(block[1, 1:].norm()), rel=1e-5)
    assert not one.radius.size
    table = loops_table([one])
    assert table.one(loop="plain", measure="spectral radius").blank_reason == "no spectrum was asked for"
    assert table.one(loop="plain", measure="right after the loop").blank_reason == "no anchor"
    assert table.one(loop="plain", measure="settled").n == 4


def test_residuals_are_geometric_means_over_running_texts(blocks):
    plain = blocks[0]
    table = residuals_table(blocks)
    wanted = np.exp(np.log(plain.runs.residuals[:, 4]).mean())
    got = table.one(loop="plain", step=5)
    assert got.value == pytest.approx(wanted)
    assert got.low < wanted < got.high


def test_the_page_says_what_settles_what_does_not_and_draws(paths, blocks):
    page = layers_page(paths, blocks, model="tiny", block=(1, 2), loops=40, date="1 Jan 2026", command="test")
    told = " ".join(page.headline)
    assert "No layer of tiny leaves the state at rest" in told
    settled = int(blocks[1].runs.settled.sum())
    right = loops_table(blocks).one(loop="norm + injection", measure="right after the loop")
    assert (
        not settled
        or f"settle on {settled} of 4 texts with norm + injection, and {percent(right)} are right" in told
    )
    assert "(plain" in told
    assert "None settles otherwise" in told if settled else "settle on no text" in told
    html = render(page)
    assert "position 0" in html
    assert [figure.name for figure in page.figures] == ["path", "loop", "lens"]
    assert all(figure.chart.to_dict() for figure in page.figures)
    assert len(page.numbers) == len(paths.table()) + len(loops_table(blocks))


def test_texts_of_the_commonest_length_are_looped():
    texts = [torch.arange(length) for length in (5, 4, 5, 6, 5)]
    accepted = [frozenset({row}) for row in range(5)]
    same, right = of_one_length(texts, accepted, most=2)
    assert same.shape == (2, 5)
    assert right == [frozenset({0}), frozenset({2})]
    tied, _ = of_one_length([torch.arange(3), torch.arange(2)], accepted[:2], most=9)
    assert tied.shape == (1, 2)


def test_questions_ask_for_names_and_show_one_example():
    asked = questions_of(6, seed=0)
    assert len(asked) == 6
    assert {len(shown) for shown in asked.exemplars.values()} == {1}
    assert list(asked.questions) != list(questions_of(6, seed=1).questions)


def test_bad_input_is_told(llama, tmp_path):
    with pytest.raises(InputError, match="two tokens or more; got 1"):
        layer_paths(llama, [IDS[0][:1]], [frozenset()])
    with pytest.raises(InputError, match="two questions or more"):
        run_layers("smollm2-135m-instruct", out=tmp_path, count=1, date="1 Jan 2026")


@pytest.mark.model
@pytest.mark.timeout(900)
def test_a_real_model_and_its_page(tmp_path):
    get("smollm2-135m-instruct", accept_licence=True)
    done = run_layers("smollm2-135m-instruct", out=tmp_path, count=16, loops=64, date="1 Jan 2026")
    table = done.paths.table()
    # position 0: about 24,000 against about 150 at layer 14
    assert table.one(measure="sink norm", layer=14).value > 50 * table.one(measure="norm", layer=14).value
    assert table.one(measure="step with sink", layer=14).value < 0.02
    assert table.one(measure="step", layer=14).value > 0.1
    settled = {one.name: float(one.runs.settled.mean()) for one in done.blocks}
    assert settled["norm + injection"] == 1.0
    assert settled["plain"] == settled["injection"] == 0.0
    assert {one.name: one.manner() for one in done.blocks}["plain"] == "drift"
    assert Path(done.path).stat().st_size < 2_000_000
    assert done.summary()["headline"]

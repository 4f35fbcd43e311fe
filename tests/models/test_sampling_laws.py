"""Does sampling over a tree of tokens follow the model's own law, whatever runs beside it?"""

import itertools

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from limitset.core.errors import InputError
from limitset.core.replies import Draw
from limitset.core.streams import Streams
from limitset.models import sampling
from limitset.models.choosing import choose
from limitset.models.sampling import plan
from limitset.models.token_tree import TokenTree

PROMPTS = ["the cat", "the cat sat", "the dog ran 12", "a", "zebra\n", "the cat"]
DRAWS = [Draw(0, 0.0), Draw(0, 1.0), Draw(1, 1.0), Draw(2, 0.7), Draw(3, 1.3)]


def drawn(model, prompts=PROMPTS, *, rows=None, draws=DRAWS, max_tokens=10, top_p=1.0, stop=(), seed=5):
    rows = rows or [str(row) for row in range(len(prompts))]
    return model.generate(
        prompts, rows=rows, draws=draws, max_tokens=max_tokens, top_p=top_p, stop=stop, rng=Streams(seed)
    )


def texts(replies):
    return [[reply.text for reply in line] for line in replies]


@pytest.mark.parametrize("which", ["torch_llama", "torch_gemma"])
def test_greedy_equals_generate_of_transformers(which, request, letters):
    # 30 new tokens on prompts of up to 14: the tiny Gemma's window of 8 is crossed many times
    model = request.getfixturevalue(which)
    replies = drawn(model, draws=[Draw(0, 0.0)], max_tokens=30)
    for prompt, line in zip(PROMPTS, replies, strict=True):
        ids = torch.tensor([model.tokens(prompt)])
        out = model.torch_module.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=30, pad_token_id=2
        )
        assert line[0].text == letters.decode(out[0, ids.shape[1] :], skip_special_tokens=True)


@pytest.mark.parametrize("which", ["torch_llama", "torch_gemma"])
def test_each_reply_is_what_it_would_be_alone(which, request):
    model = request.getfixturevalue(which)
    together = drawn(model, top_p=0.9)
    for row, prompt in enumerate(PROMPTS):
        for place, draw in enumerate(DRAWS):
            alone = drawn(model, [prompt], rows=[str(row)], draws=[draw], top_p=0.9)[0][0]
            assert alone.text == together[row][place].text
            assert alone.logprob == pytest.approx(together[row][place].logprob, abs=1e-3)


def test_equal_chunks_give_equal_replies_bit_for_bit(torch_llama):
    first, second = drawn(torch_llama), drawn(torch_llama)
    assert texts(first) == texts(second)
    assert [[r.logprob for r in line] for line in first] == [[r.logprob for r in line] for line in second]


def test_groups_and_sweeping_do_not_change_the_text(torch_llama, monkeypatch):
    whole = texts(drawn(torch_llama, max_tokens=24))
    monkeypatch.setattr(sampling, "SLOTS", 60)
    ids = [torch_llama.tokens(prompt) for prompt in PROMPTS]
    assert len(plan(torch_llama.torch_module.config, ids, draws=5, max_tokens=24)) > 5
    assert texts(drawn(torch_llama, max_tokens=24)) == whole
    monkeypatch.undo()
    monkeypatch.setattr("limitset.models.token_tree.COMPACT_ABOVE", 1)
    monkeypatch.setattr("limitset.models.token_tree.PIECE", 3)
    assert texts(drawn(torch_llama, max_tokens=24)) == whole


def test_seed_row_stream_temperature_and_top_p_move_the_reply(torch_llama):
    base = texts(drawn(torch_llama, ["the cat"], draws=[Draw(1, 1.0)], rows=["r"], max_tokens=20))
    assert texts(drawn(torch_llama, ["the cat"], draws=[Draw(2, 1.0)], rows=["r"], max_tokens=20)) != base
    assert texts(drawn(torch_llama, ["the cat"], draws=[Draw(1, 1.0)], rows=["s"], max_tokens=20)) != base
    assert (
        texts(drawn(torch_llama, ["the cat"], draws=[Draw(1, 1.0)], rows=["r"], max_tokens=20, seed=6))
        != base
    )
    assert texts(drawn(torch_llama, ["the cat"], draws=[Draw(1, 3.0)], rows=["r"], max_tokens=20)) != base
    assert (
        texts(drawn(torch_llama, ["the cat"], draws=[Draw(1, 1.0)], rows=["r"], max_tokens=20, top_p=0.2))
        != base
    )


def test_first_token_follows_the_softmax(torch_llama, letters):
    # 3,000 draws at temperature 1.5: counts against the model's own probabilities
    draws = [Draw(seed, 1.5) for seed in range(3000)]
    replies = drawn(torch_llama, ["the"], draws=draws, max_tokens=1)[0]
    with torch.no_grad():
        ids = torch.tensor([torch_llama.tokens("the")])
        expected = torch.softmax(torch_llama.torch_module(ids).logits[0, -1].double() / 1.5, -1).numpy()
    index = {letters.decode([token], skip_special_tokens=True): token for token in range(3, len(expected))}
    counts = np.zeros(expected.size)
    for reply in replies:
        counts[index.get(reply.text, 1)] += 1
    # tokens without text of their own share one bin
    expected = np.concatenate([[expected[:3].sum()], expected[3:]])
    counts = np.concatenate([[counts[:3].sum()], counts[3:]])
    small = expected * 3000 < 5
    expected = np.append(expected[~small], expected[small].sum())
    counts = np.append(counts[~small], counts[small].sum())
    assert chisquare(counts, expected / expected.sum() * 3000).pvalue > 1e-3


def test_logprob_is_the_sum_over_the_reply_at_temperature_one(torch_llama):
    reply = drawn(torch_llama, ["the cat"], draws=[Draw(4, 1.7)], max_tokens=6)[0][0]
    assert reply.finish == "length"
    assert reply.logprob == pytest.approx(torch_llama.logprobs("the cat", reply.text).sum(), abs=1e-4)


def test_margin_is_the_smallest_gap_along_a_greedy_reply(torch_llama):
    greedy, warm = drawn(torch_llama, ["the cat"], draws=[Draw(0, 0.0), Draw(0, 1.0)], max_tokens=5)[0]
    gaps = []
    ids = torch_llama.tokens("the cat")
    for _ in range(5):
        with torch.no_grad():
            best = torch_llama.torch_module(torch.tensor([ids])).logits[0, -1].topk(2)
        gaps.append(float(best.values[0] - best.values[1]))
        ids = [*ids, int(best.indices[0])]
    assert greedy.margin == pytest.approx(min(gaps), abs=1e-4)
    assert np.isnan(warm.margin)


def test_stop_text_cuts_and_counts(torch_llama):
    full = drawn(torch_llama, ["the cat"], draws=[Draw(4, 1.0)], max_tokens=12)[0][0]
    stop = full.text[3:5]
    place = full.text.find(stop)
    cut = drawn(torch_llama, ["the cat"], draws=[Draw(4, 1.0)], max_tokens=12, stop=("never", stop))[0][0]
    assert (cut.text, cut.finish, cut.tokens) == (full.text[:place], "stop", place + 2)


def test_end_token_ends_a_reply(llama, letters):
    from limitset.models.torch_model import TorchModel

    model = TorchModel(llama, letters, name="t", identity="t")
    full = drawn(model, ["the cat"], draws=[Draw(0, 0.0)], max_tokens=8)[0][0]
    token = model.tokenizer.convert_tokens_to_ids(full.text[4])
    model._ends = frozenset({token})
    ended = drawn(model, ["the cat"], draws=[Draw(0, 0.0)], max_tokens=8)[0][0]
    assert ended.text == full.text[: full.text.index(full.text[4])]
    assert (ended.finish, ended.tokens) == ("stop", len(ended.text) + 1)


@pytest.mark.parametrize("which", ["llama", "gemma"])
def test_tree_logits_equal_plain_logits(which, request):
    model = request.getfixturevalue(which)
    paths = [[3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [3, 4, 5, 20], [3, 4, 5, 6, 7], [9]]
    tree = TokenTree(model)
    ends = [tree.add_path(path) for path in paths]
    assert len(tree) == 10 + 1 + 0 + 1  # shared beginnings are held once
    laid = tree.logits(ends)
    for path, row in zip(paths, laid, strict=True):
        with torch.no_grad():
            plain = model(torch.tensor([path])).logits[0, -1]
        torch.testing.assert_close(row, plain, atol=2e-5, rtol=1e-4)


class TestChoose:
    logits = torch.log(torch.tensor([[0.1, 0.5, 0.15, 0.25]]))

    def test_inversion_by_hand(self):
        # cumulated: 0.1, 0.6, 0.75, 1
        picked = [
            choose(self.logits, rows=[0], temperatures=[1.0], uniforms=[u], top_p=1.0)[0].token
            for u in (0.0, 0.099, 0.101, 0.59, 0.61, 0.76, 1 - 2**-53)
        ]
        assert picked == [0, 0, 1, 1, 2, 3, 3]

    def test_nucleus_by_hand(self):
        # sorted 0.5, 0.25, 0.15, 0.1: mass 0.7 needs the first two, drawn at 2/3 and 1/3
        picked = [
            choose(self.logits, rows=[0], temperatures=[1.0], uniforms=[u], top_p=0.7)[0].token
            for u in (0.0, 0.66, 0.67, 0.999)
        ]
        assert picked == [1, 1, 3, 3]

    def test_temperature_comes_before_the_nucleus(self):
        # at temperature 1/2 the squares 0.01, 0.25, 0.0225, 0.0625 sum to 0.345: the first holds 0.725 > 0.7
        picked = {
            choose(self.logits, rows=[0], temperatures=[0.5], uniforms=[u], top_p=0.7)[0].token
            for u in np.linspace(0, 0.999, 50)
        }
        assert picked == {1}

    def test_wide_nucleus_is_sorted_whole(self, monkeypatch):
        logits = torch.randn(3, 700, generator=torch.Generator().manual_seed(0)) * 0.1
        keys = {"rows": [0, 1, 2], "temperatures": [1.0] * 3, "uniforms": [0.3, 0.6, 0.95], "top_p": 0.97}
        wide = choose(logits, **keys)
        monkeypatch.setattr("limitset.models.choosing.NUCLEUS", 700)
        assert choose(logits, **keys) == wide

    def test_blocks_do_not_matter(self, monkeypatch):
        logits = torch.randn(5, 40, generator=torch.Generator().manual_seed(0))
        pairs = list(itertools.product(range(5), (0.0, 0.5, 1.0)))
        keys = {
            "rows": [row for row, _ in pairs],
            "temperatures": [heat for _, heat in pairs],
            "uniforms": np.linspace(0, 0.99, len(pairs)).tolist(),
            "top_p": 1.0,
        }
        whole = [one.token for one in choose(logits, **keys)]
        monkeypatch.setattr("limitset.models.choosing.BLOCK", 2)
        assert [one.token for one in choose(logits, **keys)] == whole


class TestPlan:
    def test_by_hand(self, llama):
        # 3 layers, 2 key heads of 8, 4 bytes: 2 (keys, values) * 2 (growing) * 3 * 2 * 8 * 4 = 768 a slot
        (group,) = plan(llama.config, [[5, 6, 7], [5, 6, 8]], draws=2, max_tokens=4)
        assert group.replies == ((0, 0), (0, 1), (1, 0), (1, 1))
        assert group.slots == 3 + 1 + 4 * 4
        assert group.bytes == 768 * 20 + 2 * 4 * llama.config.vocab_size * 4 + 2 * 4 * 20 * 4

    def test_budget_splits_and_nothing_is_lost(self, llama):
        prompts = [[5, 6, 7, row] for row in range(9)]
        groups = plan(llama.config, prompts, draws=3, max_tokens=4, budget=20_000)
        assert len(groups) > 1
        assert max(group.bytes for group in groups) <= 20_000
        assert [pair for group in groups for pair in group.replies] == list(
            itertools.product(range(9), range(3))
        )

    def test_item_size_moves_the_bytes(self, llama):
        (half,) = plan(llama.config, [[5]], draws=1, max_tokens=4, itemsize=2)
        (whole,) = plan(llama.config, [[5]], draws=1, max_tokens=4, itemsize=4)
        assert half.bytes < whole.bytes

    def test_too_small_a_budget(self, llama):
        with pytest.raises(InputError, match="one reply must fit into 0 MiB"):
            plan(llama.config, [[5, 6]], draws=1, max_tokens=4, budget=100)

"""Do scripted models follow their script, and does the cache keep samples apart?"""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from limitset.core.errors import InputError
from limitset.core.replies import Draw, Message, Reply
from limitset.core.streams import Streams
from limitset.models.response_cache import CachedModel, ResponseCache
from limitset.models.scripted import ScriptedModel

CAPITALS = {"Australia": [["Sydney", 0.7], ["Canberra", 0.3]], "France": "Paris is\nthe capital"}


GREEDY = (Draw(0, 0.0),)


def asked(model, prompts, *, rows=None, draws=GREEDY, max_tokens=9, top_p=1.0, stop=(), seed=0):
    rows = rows or [str(row) for row in range(len(prompts))]
    return model.generate(
        prompts, rows=rows, draws=draws, max_tokens=max_tokens, top_p=top_p, stop=stop, rng=Streams(seed)
    )


class Counting:
    """Counts the calls and the replies asked of a model."""

    def __init__(self, model):
        self.model, self.calls, self.replies = model, 0, 0
        self.name, self.identity = model.name, model.identity

    def generate(self, prompts, *, draws, **options):
        self.calls += 1
        self.replies += len(prompts) * len(draws)
        return self.model.generate(prompts, draws=draws, **options)


@pytest.fixture
def model():
    return ScriptedModel("toy", CAPITALS, default="I do not know")


def test_shares_are_followed(model):
    # 4,000 draws of a coin with 0.3: standard error 0.0072, so 4 of them are 0.029
    draws = [Draw(seed, 1.0) for seed in range(4000)]
    texts = [reply.text for reply in asked(model, ["Capital of Australia?"], draws=draws)[0]]
    assert abs(np.mean([text == "Canberra" for text in texts]) - 0.3) < 0.029


def test_temperature_and_top_p_by_hand(model):
    # at temperature 1/2: 0.09 / (0.09 + 0.49) = 0.155; a nucleus of 0.6 holds Sydney alone
    draws = [Draw(seed, 0.5) for seed in range(4000)]
    texts = [reply.text for reply in asked(model, ["Australia"], draws=draws)[0]]
    assert abs(np.mean([text == "Canberra" for text in texts]) - 0.155) < 0.023
    cut = asked(model, ["Australia"], draws=[Draw(seed, 1.0) for seed in range(50)], top_p=0.6)[0]
    assert {reply.text for reply in cut} == {"Sydney"}


def test_logprob_margin_length_and_stop(model):
    (reply,) = asked(model, ["Australia"])[0]
    assert reply.logprob == pytest.approx(math.log(0.7))
    assert reply.margin == pytest.approx(math.log(0.7 / 0.3))
    (cut,) = asked(model, ["France"], stop=("\n",))[0]
    assert (cut.text, cut.finish) == ("Paris is", "stop")
    (short,) = asked(model, ["France"], max_tokens=1)[0]
    assert (short.text, short.finish, short.tokens) == ("Paris", "length", 1)


def test_which_entry_is_used(model):
    few_shot = "Q: Capital of France?\nA: Paris\nQ: Capital of Australia?\nA:"
    assert asked(model, [few_shot])[0][0].text == "Sydney"  # what is asked stands last
    chat = (Message("system", "France"), Message("user", "Australia"))
    assert asked(model, [chat])[0][0].text == "Sydney"
    assert asked(model, ["Chad"])[0][0].text == "I do not know"


def test_row_seed_and_stream_decide(model):
    draws = [Draw(seed, 1.0) for seed in range(60)]

    def texts(row, seed):
        return [r.text for r in asked(model, ["Australia"], rows=[row], draws=draws, seed=seed)[0]]

    assert texts("a", 0) == texts("a", 0)
    assert texts("a", 0) != texts("b", 0)
    assert texts("a", 0) != texts("a", 1)


@pytest.mark.parametrize(
    ("body", "match"),
    [
        ("{", "must be a JSON file"),
        ("[]", "must hold an object with an object `replies`"),
        ('{"reply": {}}', "keys of .* got reply"),
        ('{"style": "poem"}', "style must be chat or few_shot; got 'poem'"),
        ('{"replies": {"q": [["a", 0.5]]}}', "sum to 1; got 0.5 for 'q'"),
        ('{"replies": {"q": 3}}', "must be a text or pairs"),
        ('{"replies": {"q": [["a", -1], ["b", 2]]}}', "must be 0 or above"),
    ],
)
def test_bad_scripts(tmp_path, body, match):
    path = tmp_path / "toy.json"
    path.write_text(body)
    with pytest.raises(InputError, match=match):
        ScriptedModel.read(path)


def test_script_file_and_identity(tmp_path, model):
    path = tmp_path / "toy.json"
    path.write_text(json.dumps({"name": "toy", "replies": CAPITALS, "default": "I do not know"}))
    assert ScriptedModel.read(path).identity == model.identity
    assert ScriptedModel("toy", {**CAPITALS, "Chad": "x"}, default="I do not know").identity != model.identity
    assert ScriptedModel("toy", CAPITALS, default="?").identity != model.identity


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"max_tokens": 0}, "max_tokens must be 1 or more; got 0"),
        ({"top_p": 0.0}, r"top_p must be in \(0, 1\]"),
        ({"draws": [Draw(0, -1.0)]}, "temperature must be 0 or above; got -1"),
        ({"draws": [Draw(0, math.nan)]}, "temperature must be 0 or above; got nan"),
        ({"stop": ("",)}, "stop text must hold a character"),
        ({"rows": ["a", "b"]}, "1 prompts and 2 rows"),
    ],
)
def test_requests_no_model_can_serve(model, options, match):
    with pytest.raises(InputError, match=match):
        asked(model, ["x"], **options)


def test_samples_stay_distinct_and_a_second_call_asks_nothing(tmp_path, model):
    counting = Counting(model)
    draws = [Draw(seed, 1.0) for seed in range(40)]
    plain = asked(model, ["Australia", "France"], draws=draws)
    with ResponseCache(tmp_path / "replies.sqlite") as cache:
        cached = CachedModel(counting, cache)
        assert asked(cached, ["Australia", "France"], draws=draws) == plain
        assert {reply.text for reply in plain[0]} == {"Sydney", "Canberra"}
        assert (counting.calls, counting.replies, len(cache)) == (1, 80, 80)
    with ResponseCache(tmp_path / "replies.sqlite") as cache:
        assert [
            [r.text for r in line]
            for line in asked(CachedModel(counting, cache), ["Australia", "France"], draws=draws)
        ] == [[r.text for r in line] for line in plain]
    assert counting.calls == 1


def test_only_what_is_missing_is_drawn(tmp_path, model):
    counting = Counting(model)
    with ResponseCache(tmp_path / "replies.sqlite") as cache:
        cached = CachedModel(counting, cache)
        asked(cached, ["Australia"], draws=[Draw(0, 1.0), Draw(1, 1.0)])
        both = asked(cached, ["Australia", "France"], draws=[Draw(0, 1.0), Draw(1, 1.0), Draw(2, 1.0)])
    assert counting.replies == 2 + 1 + 3
    assert both == asked(model, ["Australia", "France"], draws=[Draw(0, 1.0), Draw(1, 1.0), Draw(2, 1.0)])


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"max_tokens": 1},
        {"top_p": 0.5},
        {"stop": ("d",)},
        {"rows": ["other"]},
        {"draws": [Draw(0, 0.5)]},
        {"prompts": ["Austria"]},
    ],
)
def test_everything_that_decides_a_reply_is_in_the_key(tmp_path, model, change):
    counting = Counting(model)
    base = {"prompts": ["Australia"], "draws": [Draw(0, 1.0)]}
    with ResponseCache(tmp_path / "replies.sqlite") as cache:
        cached = CachedModel(counting, cache)
        asked(cached, **base)
        asked(cached, **{**base, **change})
        assert counting.calls == 2
        asked(CachedModel(Counting(ScriptedModel("toy", {})), cache), **base)
        assert len(cache) == 3  # another model, another entry


def test_values_survive(tmp_path):
    replies = [
        Reply(text='é\n"', tokens=3, logprob=-1 / 3, margin=0.1, finish="length"),
        Reply(text="", tokens=1, margin=math.inf),
        Reply(text="lost", tokens=0, finish="error"),
    ]
    with ResponseCache(tmp_path / "replies.sqlite") as cache:
        cache.put_many("m", [("r", sample, reply) for sample, reply in enumerate(replies)])
        assert cache.get("m", "r", 0) == replies[0]
        empty = cache.get("m", "r", 1)
        assert math.isnan(empty.logprob)
        assert empty.margin == math.inf
        assert cache.get("m", "r", 2) is None  # a failure is tried again
        cache.put("m", "r", 0, replies[1])
        assert cache.get("m", "r", 0) == replies[0]  # the first one stays


def test_two_processes_share_a_cache(tmp_path):
    path = tmp_path / "replies.sqlite"
    code = (
        "import sys; from pathlib import Path; from limitset.core.replies import Reply;"
        "from limitset.models.response_cache import ResponseCache\n"
        "with ResponseCache(Path(sys.argv[1])) as cache:\n"
        "    for sample in range(100): cache.put('m', 'r', sample, Reply(text=sys.argv[2], tokens=1))\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), name]) for name in "ab"]
    assert [process.wait(60) for process in running] == [0, 0]
    with ResponseCache(path) as cache:
        assert len(cache) == 100


def test_a_file_that_is_no_cache(tmp_path):
    path = tmp_path / "replies.sqlite"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(InputError, match="must be a reply cache of limitset"):
        ResponseCache(path)

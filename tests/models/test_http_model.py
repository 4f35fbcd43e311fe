"""Does a model behind a server reply as the same model here, whatever the server does wrong?"""

import asyncio
import json
import math
import socket
import ssl
import threading
import time
from email.utils import formatdate

import pytest

from limitset.core.errors import DependencyError, InputError
from limitset.core.replies import Draw, LanguageModel, Message
from limitset.core.streams import Streams
from limitset.models import http_model
from limitset.models.endpoints import Endpoint
from limitset.models.http_model import HttpModel
from limitset.models.response_cache import CachedModel, ResponseCache
from limitset.models.scripted import ScriptedModel
from models.http_server import FAULTS, SLOW_S, Server, send

SCRIPT = {
    "Australia": [["Sydney", 0.6], ["Canberra", 0.3], ["Perth", 0.1]],
    "France": "Paris is\nthe capital",
    "Peru": "Lima",
}
GREEDY = Draw(0, 0.0)
SEEDS = [Draw(seed, 1.0) for seed in range(12)]


@pytest.fixture
def script():
    return ScriptedModel("toy", SCRIPT, default="I do not know")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "LIMITSET_API_KEY_TOY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def opened():
    """Open models that are closed at the end of the test."""
    models = []

    def opener(server, **options):
        url = server if isinstance(server, str) else server.url
        options = {"name": "toy", "model": "toy", "longest_wait": 0.05, "tries": 4, **options}
        models.append(HttpModel(Endpoint(base_url=url, **options)))
        return models[-1]

    yield opener
    for model in models:
        model.close()


def chat(text):
    return (Message("user", text),)


def asked(model, prompts, *, draws=(GREEDY,), max_tokens=9, top_p=1.0, stop=(), rng=None):
    return model.generate(
        prompts,
        rows=[str(row) for row in range(len(prompts))],
        draws=draws,
        max_tokens=max_tokens,
        top_p=top_p,
        stop=stop,
        rng=rng or Streams(0),
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("wire", ["chat", "completion"])
def test_greedy_replies_are_those_of_the_model_itself(script, opened, wire):
    texts = ["Australia", "France", "Chad"]
    prompts = [chat(one) for one in texts] if wire == "chat" else texts
    with Server(script) as server:
        model = opened(server, wire=wire)
        assert isinstance(model, LanguageModel)
        found = asked(model, prompts, stop=("\n",))
    direct = asked(script, prompts, stop=("\n",))
    assert [[one.text for one in line] for line in found] == [[one.text for one in line] for line in direct]
    assert {one["path"] for one in server.seen} == {
        "/v1/chat/completions" if wire == "chat" else "/v1/completions"
    }


def test_what_is_sent(script, opened):
    with Server(script) as server:
        model = opened(server, extra_body={"min_p": 0.1})
        asked(model, [chat("Peru")], draws=[Draw(3, 0.7)], max_tokens=5, top_p=0.9, stop=("\n",))
    [body] = [one["body"] for one in server.seen]
    assert 0 <= body.pop("seed") < 2**31
    assert body == {
        "model": "toy",
        "messages": [{"role": "user", "content": "Peru"}],
        "temperature": 0.7,
        "max_tokens": 5,
        "top_p": 0.9,
        "stop": ["\n"],
        "logprobs": True,
        "top_logprobs": 2,
        "min_p": 0.1,
    }


def test_seeds_differ_by_row_draw_and_stream_and_repeat(script, opened):
    def seeds(rng):
        with Server(script) as server:
            asked(opened(server), [chat("Peru"), chat("Peru")], draws=SEEDS[:3], rng=rng)
        return sorted(one["body"]["seed"] for one in server.seen)

    first = seeds(Streams(0))
    assert len(set(first)) == 6
    assert seeds(Streams(0)) == first
    assert not set(seeds(Streams(1))) & set(first)


def test_what_the_server_said_is_kept(script, opened):
    with Server(script) as server:
        [[reply]] = asked(opened(server), [chat("Peru")])
    assert (reply.served.model, reply.served.fingerprint) == ("toy-2026-11", "fp_1")
    assert (reply.served.prompt_tokens, reply.served.reply_tokens) == (10, 1)
    assert reply.served.seed == server.seen[0]["body"]["seed"]
    assert math.isnan(reply.logprob)  # this server gives none


def test_every_fault_passes(script, opened):
    with Server(script, fault=lambda n: FAULTS[n // 3 % len(FAULTS)] if n % 3 == 0 else None) as server:
        model = opened(server, timeout=SLOW_S / 3, tries=20)
        prompts = [chat(one) for one in ("Australia", "France", "Peru", "Chad")] * 6
        found = asked(model, prompts, draws=[GREEDY, Draw(1, 0.0)])
    assert [[one.text for one in line] for line in found] == [
        [one.text for one in line] for line in asked(script, prompts, draws=[GREEDY, Draw(1, 0.0)])
    ]
    assert len(server.seen) > 48 * 4 / 3  # every fault was met, and every request repeated
    assert len(server.seen) > 3 * len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_is_one_line_in_the_end(script, opened, fault):
    with Server(script, fault=lambda n: fault) as server:
        model = opened(server, tries=2, timeout=0.3)
        with pytest.raises(DependencyError, match=r"/v1 must answer for toy; got .*2 tries") as caught:
            asked(model, [chat("Peru")])
    assert "\n" not in str(caught.value)
    assert "the same command goes on from there" in str(caught.value)
    assert len(server.seen) == 2


def test_retry_after_is_honoured_by_every_request(script, opened):
    # request 0 is told to wait 0.6 s: nobody may come before that
    class Slow(Server):
        def _answer(self, http, body, fault):
            if len(self.seen) == 1:
                return send(http, 429, {}, headers={"retry-after": "0.6"})
            return super()._answer(http, body, fault)

    with Slow(script) as server:
        model = opened(server, concurrency=1)
        asked(model, [chat("Peru"), chat("France")])
    assert len(server.seen) == 3
    assert server.times[1] - server.times[0] >= 0.6


def test_a_server_that_asks_for_an_hour_is_given_up(script, opened):
    class Hour(Server):
        def _answer(self, http, body, fault):
            date = formatdate(time.time() + 3600, usegmt=True)
            return send(http, 503, {}, headers={"retry-after": date})

    with Hour(script) as server:
        began = time.monotonic()
        with pytest.raises(DependencyError, match=r"status 503.* and a wish to wait 3[56]\d\d s"):
            asked(opened(server), [chat("Peru")])
    assert time.monotonic() - began < 5
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "error", "match"),
    [
        (401, {"message": "no such key"}, "No key was sent: put it into the variable OPENAI_API_KEY"),
        (403, {"message": "no"}, "No key was sent"),
        (404, {"message": "no such model"}, 'has a model "toy" and that the address ends in /v1'),
        (402, {"message": "pay"}, 'status 402 "pay". Ask whoever runs the server'),
        (429, {"message": "no credit", "code": "insufficient_quota"}, 'status 429 "no credit"'),
    ],
)
def test_what_does_not_pass_is_not_tried_again(script, opened, status, error, match):
    def change(body, answer):
        return status, {"error": error}

    with Server(script, change=change) as server, pytest.raises(DependencyError, match=match):
        asked(opened(server, concurrency=1), [chat("Peru"), chat("France")])
    assert len(server.seen) == 1


def test_one_request_that_is_refused_is_the_fault_of_that_request(script, opened):
    change = strict(model="too long")
    words = r'must take the request for toy; got "too long"'
    with Server(script, change=change) as server, pytest.raises(InputError, match=words):
        asked(opened(server), [chat("Peru")])
    assert len(server.seen) == 1


def strict(**refused):
    """A server that refuses options: name to its words."""

    def change(body, answer):
        for name, words in refused.items():
            if name in body:
                return 400, {"error": {"message": words}}
        return answer

    return change


def test_options_that_a_server_refuses_are_left_out(script, opened):
    words = {
        "logprobs": "Unknown field: logprobs",
        "seed": "seed is not supported",
        "stop": "Unsupported parameter: 'stop'",
        "max_tokens": "Use 'max_completion_tokens' instead.",
    }
    with Server(script, change=strict(**words)) as server:
        model = opened(server, concurrency=1)
        found = asked(model, [chat("France"), chat("Peru")], stop=("\n",))
        assert [line[0].text for line in found] == ["Paris is", "Lima"]  # the stop is cut here
        assert found[0][0].served.seed is None
        assert len(server.seen) == 6  # four refusals, then one request each
        assert (model.taken.seed, model.taken.logprobs, model.taken.stop) == (False, False, False)
    change = strict(temperature="only temperature 1 is supported")
    with Server(script, change=change) as server, pytest.raises(InputError, match="only temperature 1"):
        asked(opened(server), [chat("France")])


def one_choice(**choice):
    return lambda body, answer: {"choices": [{"index": 0, "finish_reason": "stop", **choice}]}


@pytest.mark.parametrize(
    ("choice", "text", "finish"),
    [
        ({"message": {"content": None}}, "", "stop"),
        ({"message": {"content": ""}}, "", "stop"),
        ({"message": {"content": "Paris"}, "finish_reason": "length"}, "Paris", "length"),
        ({"message": {"content": "Paris\nis"}, "finish_reason": "length"}, "Paris", "stop"),
        ({"message": {"content": "Pa"}, "finish_reason": "content_filter"}, "Pa", "refused"),
        ({"message": {"content": None}, "finish_reason": "content_filter"}, "", "refused"),
        ({"message": {"content": None, "refusal": "I will not say"}}, "I will not say", "refused"),
        ({"message": {"content": None, "tool_calls": []}, "finish_reason": "tool_calls"}, "", "stop"),
        ({"message": {"content": [{"type": "text", "text": "Par"}, {"text": "is"}]}}, "Paris", "stop"),
        ({"message": {"content": "P\ud800aris"}}, "P?aris", "stop"),
    ],
)
def test_replies_of_every_kind(script, opened, choice, text, finish):
    with Server(script, change=one_choice(**choice)) as server:
        [[reply]] = asked(opened(server), [chat("France")], stop=("\n",))
    assert (reply.text, reply.finish) == (text, finish)


def test_a_filter_that_comes_as_an_error_is_a_refusal(script, opened):
    error = {"error": {"message": "filtered", "code": "content_filter"}}
    with Server(script, change=lambda body, answer: (400, error)) as server:
        [[reply]] = asked(opened(server), [chat("France")])
    assert (reply.text, reply.finish, reply.served.reason) == ("", "refused", "content_filter")


def test_log_probabilities_are_summed_up_to_the_stop(script, opened):
    # -0.1 - 0.3 = -0.4 up to the stop; gaps to the second best .9 and .2
    steps = [
        {"token": "Pa", "logprob": -0.1, "top_logprobs": [{"logprob": -0.1}, {"logprob": -1.0}]},
        {"token": "ris\n", "logprob": -0.3, "top_logprobs": [{"logprob": -0.3}, {"logprob": -0.5}]},
        {"token": "no", "logprob": -5, "top_logprobs": [{"logprob": -5}, {"logprob": -5}]},
    ]
    told = {"message": {"content": "Paris\nno"}, "logprobs": {"content": steps}}
    with Server(script, change=one_choice(**told)) as server:
        [[cut]] = asked(opened(server), [chat("France")], stop=("\n",))
        [[whole]] = asked(opened(server), [chat("France")])
        [[warm]] = asked(opened(server), [chat("France")], draws=[Draw(0, 1.0)])
    assert (cut.logprob, cut.margin, cut.tokens) == (pytest.approx(-0.4), pytest.approx(0.2), 2)
    assert (whole.logprob, whole.margin, whole.tokens) == (pytest.approx(-5.4), 0.0, 3)
    assert math.isnan(warm.margin)


def test_log_probabilities_of_completions_and_broken_ones(script, opened):
    told = {
        "tokens": [" Li", "ma"],
        "token_logprobs": [-0.2, -0.1],
        "top_logprobs": [{"a": -0.2, "b": -2.2}, {"c": -0.1}],
    }
    for logprobs, sum_, tokens in (
        (told, -0.3, 2),
        ({"tokens": [1], "token_logprobs": [None]}, math.nan, -1),
        ("no", math.nan, -1),
    ):
        with Server(script, change=one_choice(text=" Lima", logprobs=logprobs)) as server:
            [[reply]] = asked(opened(server, wire="completion"), ["Peru"])
        assert (reply.text, reply.tokens) == (" Lima", tokens)
        assert reply.logprob == pytest.approx(sum_, nan_ok=True)
        assert math.isnan(reply.margin)  # the second token has no second best


def test_so_many_at_once_and_no_more(script, opened):
    with Server(script, delay=0.05) as server:
        asked(opened(server, concurrency=3), [chat("Peru")], draws=SEEDS)
    assert server.most_at_once == 3


def test_keys_are_sent_and_never_told(script, opened, monkeypatch, tmp_path):
    monkeypatch.setenv("LIMITSET_API_KEY_TOY", "sk-wrong-77")
    with Server(script, key="sk-right-42") as server:
        with pytest.raises(
            DependencyError, match=r"Incorrect API key provided: \*\*\*.*LIMITSET_API_KEY_TOY"
        ) as caught:
            asked(opened(server), [chat("Peru")])
        assert "77" not in f"{caught.value!r} {caught.value.__cause__} {caught.value.__suppress_context__}"
        monkeypatch.setenv("LIMITSET_API_KEY_TOY", "sk-right-42")
        model = opened(server)
        with ResponseCache(tmp_path / "r.sqlite") as cache:
            asked(CachedModel(model, cache), [chat("Peru")])
    assert b"sk-right" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert "sk-" not in f"{model.identity} {model!r} {model.name}"


def test_nothing_of_the_environment_goes_to_another_server(script, opened, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-secret")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with Server(script) as server:
        asked(opened(server), [chat("Peru")])
    sent = json.dumps(server.seen[0]["headers"]).lower()
    assert "secret" not in sent
    assert "authorization" not in sent


def test_a_port_where_nobody_listens(opened):
    began = time.monotonic()
    with pytest.raises(
        DependencyError, match=r"got connection refused \(3 tries in \d+ s\)\. Check the address"
    ):
        asked(opened(f"http://127.0.0.1:{free_port()}/v1", tries=50), [chat("Peru")])
    assert time.monotonic() - began < 5


def test_a_host_that_does_not_exist(opened):
    with pytest.raises(
        DependencyError, match=r"http://no-such-host\.invalid/v1 must answer for toy; got .*3 tries"
    ):
        asked(opened("http://no-such-host.invalid/v1"), [chat("Peru")])


def test_a_proxy_is_not_asked_for_this_machine_and_named_for_others(script, opened, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with Server(script) as server:
        assert asked(opened(server), [chat("Peru")])[0][0].text == "Lima"
    with pytest.raises(
        DependencyError, match=r"got connection refused through the proxy that HTTP_PROXY names"
    ):
        asked(opened("http://192.0.2.1/v1"), [chat("Peru")])
    monkeypatch.setenv("HTTP_PROXY", "gopher://127.0.0.1")
    with pytest.raises(DependencyError, match=r"must be possible; got .*gopher.*Check HTTP_PROXY"):
        asked(opened("http://192.0.2.1/v1"), [chat("Peru")])


def test_no_tls_where_tls_was_expected(script, opened):
    with (
        Server(script) as server,
        pytest.raises(
            DependencyError,
            match=r"must show a certificate that this machine trusts; got .*wrong version number",
        ),
    ):
        asked(opened(server.url.replace("http:", "https:")), [chat("Peru")])


def test_a_server_that_dies_half_way_and_comes_back(script, opened, tmp_path):
    prompts = [chat(one) for one in ("Australia", "France", "Peru")]
    with ResponseCache(tmp_path / "r.sqlite") as cache:
        server = Server(script, fault=lambda n: None if n < 7 else "closed")
        model = CachedModel(opened(server, tries=2, concurrency=1), cache)
        with pytest.raises(DependencyError, match=r"2 tries in .*Replies so far are kept"):
            asked(model, prompts, draws=SEEDS)
        server.close()
        assert len(cache) == 7
        with Server(script, port=server.port) as back:
            found = asked(model, prompts, draws=SEEDS)
            assert len(back.seen) == 36 - 7
            assert asked(model, prompts, draws=SEEDS) == found
            assert len(back.seen) == 36 - 7
    assert all(len(line) == 12 for line in found)


def test_samples_stay_distinct_with_the_cache_and_a_second_run_asks_nothing(script, opened, tmp_path):
    with Server(script) as server:
        for _ in range(2):
            with ResponseCache(tmp_path / "r.sqlite") as cache:
                found = asked(CachedModel(opened(server), cache), [chat("Australia")], draws=[GREEDY, *SEEDS])
                assert len(cache) == 13
            assert {one.text for one in found[0]} == {"Sydney", "Canberra", "Perth"}
            assert len(server.seen) == 13
            assert found[0][3].served.model == "toy-2026-11"  # also from the cache


def test_stopping_ends_at_once_and_keeps_what_came(script, opened, tmp_path, monkeypatch):
    with Server(script, delay=0.05) as server, ResponseCache(tmp_path / "r.sqlite") as cache:
        model = opened(server, concurrency=1)
        put = cache.put

        def put_and_stop(*args):
            put(*args)
            raise KeyboardInterrupt

        monkeypatch.setattr(cache, "put", put_and_stop)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            asked(CachedModel(model, cache), [chat("Peru")] * 40)
        assert time.monotonic() - began < 1
        assert len(cache) == 1
        time.sleep(0.2)
        assert len(server.seen) <= 3  # the rest was never sent


def test_it_works_inside_a_running_loop(script, opened):
    async def notebook():
        return asked(opened(server), [chat("Peru")])

    with Server(script) as server:
        assert asyncio.run(notebook())[0][0].text == "Lima"


def test_the_thread_ends_with_the_model(script, opened):
    before = threading.active_count()
    with Server(script) as server:
        model = opened(server)
        asked(model, [chat("Peru")])
        model.close()
        model.close()
    assert threading.active_count() <= before


def test_requests_no_model_can_serve_are_not_sent(script, opened):
    with Server(script) as server:
        with pytest.raises(InputError, match="max_tokens must be 1 or more"):
            asked(opened(server), [chat("Peru")], max_tokens=0)
        with pytest.raises(InputError, match="continues plain text"):
            asked(opened(server, wire="completion"), [chat("Peru")])
    assert not server.seen


def test_without_the_package(monkeypatch):
    monkeypatch.setattr(http_model.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r"need openai; got no openai\. Install limitset\[http\]"):
        HttpModel(Endpoint(name="a", base_url="http://127.0.0.1:1/v1", model="m"))


def test_a_certificate_nobody_knows(opened, tmp_path):
    # a listener that closes every handshake: what a client sees of a broken TLS server
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            for _ in range(3):
                connection, _ = listener.accept()
                connection.recv(100)
                connection.sendall(b"\x15\x03\x03\x00\x02\x02\x30")  # alert: unknown authority
                connection.close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        with pytest.raises(DependencyError, match=r"certificate that this machine trusts; got .*unknown ca"):
            asked(opened(f"https://127.0.0.1:{listener.getsockname()[1]}/v1"), [chat("Peru")])
    assert ssl.OPENSSL_VERSION

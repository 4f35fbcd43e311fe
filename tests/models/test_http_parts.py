"""Are endpoints read, waits computed and minutes counted as they should be?"""

import asyncio
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from limitset.core.errors import DependencyError, InputError
from limitset.core.replies import Draw, Reply, Served
from limitset.models.endpoints import Endpoint, endpoint_of, key_of, read_endpoints
from limitset.models.opening import open_model, resolve
from limitset.models.rate_limits import RateLimit
from limitset.models.response_cache import ResponseCache
from limitset.models.retrying import (
    NEVER_REACHED,
    GaveUpError,
    PassingError,
    Patience,
    backoff,
    patiently,
    retry_after,
)
from limitset.models.wire import Taken, UnreadableReplyError, read_reply, request_body, said_in

LOCAL = "http://127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("spec", "name", "url", "style"),
    [
        (f"openai:m@{LOCAL}", "m", LOCAL, "chat"),
        (f"openai:m@{LOCAL}/", "m", LOCAL, "chat"),
        (f"openai:m@{LOCAL}#completion", "m", LOCAL, "few_shot"),
        ("openai:org/m:tag@1@https://host/api/v1#chat", "org/m:tag@1", "https://host/api/v1", "chat"),
        ("openai:m@http://[::1]:80/v1", "m", "http://[::1]:80/v1", "chat"),
    ],
)
def test_one_word_names_an_endpoint(spec, name, url, style):
    source = resolve(spec)
    assert (source.name, source.endpoint.base_url, source.style) == (name, url, style)
    assert source.kind == "endpoint"
    assert source.identity == source.endpoint.identity


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("openai:gpt-4o", "an endpoint is openai:NAME@http"),
        ("openai:sk-12345", "got another form after openai:"),
        ("openai:@http://h/v1", "an endpoint is openai:NAME@http"),
        ("openai:m@ftp://h/v1", "an endpoint is openai:NAME@http"),
        ("openai:m@http:///v1", "an address is http://host:port/v1"),
        ("openai:m@http://h:99999/v1", "an address is http://host:port/v1"),
        ("openai:m@http://h:0/v1", "an address is http://host:port/v1"),
        ("openai:m@http://h /v1", "an address is http://host:port/v1"),
        ("openai:m@https://me:sk-12345@h/v1", "holds no password, query or fragment.*got one for h"),
        ("openai:m@https://h/v1?key=sk-12345", "holds no password, query or fragment"),
        ("openai:m@https://h/v1#poem", "ends in #chat or #completion"),
        ("openai:m@https://h/v1/chat/completions", r"ends before /chat/completions.*Write https://h/v1\."),
    ],
)
def test_wrong_words_are_refused_and_keys_in_them_not_repeated(spec, match):
    with pytest.raises(InputError, match=match) as caught:
        resolve(spec)
    assert "12345" not in str(caught.value)


def written(tmp_path, text):
    path = tmp_path / "panel.toml"
    path.write_text(text, encoding="utf-8")
    return path


def entry(**more):
    values = {"name": "a", "base_url": LOCAL, "model": "m", **more}
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if not isinstance(value, dict)]
    for name, table in values.items():
        if isinstance(table, dict):
            lines += [f"[endpoint.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "[[endpoint]]\n" + "\n".join(lines) + "\n"


def test_a_file_of_endpoints(tmp_path):
    full = {
        "wire": "completion",
        "api_key_env": "MY_KEY",
        "concurrency": 2,
        "requests_per_minute": 30,
        "tokens_per_minute": 9000,
        "timeout": 5.0,
        "tries": 3,
        "longest_wait": 10.0,
        "extra_body": {"min_p": 0.05},
    }
    path = written(tmp_path, entry(**full) + entry(name="b"))
    first, second = read_endpoints(path)
    assert first == Endpoint(name="a", base_url=LOCAL, model="m", **full)
    assert second == Endpoint(name="b", base_url=LOCAL, model="m")
    assert endpoint_of(f"{path}:b") == second
    with pytest.raises(InputError, match=r"are a, b; got 'c'"):
        resolve(f"{path}:c")


def test_how_fast_is_no_part_of_the_identity():
    one = Endpoint(name="a", base_url=LOCAL, model="m")
    assert one.identity == Endpoint(name="a", base_url=LOCAL, model="m", concurrency=9, tries=1).identity
    others = [
        {"model": "n"},
        {"base_url": "http://127.0.0.1:8001/v1"},
        {"wire": "completion"},
        {"extra_body": {"x": 1}},
    ]
    base = {"name": "a", "base_url": LOCAL, "model": "m"}
    assert len({Endpoint(**{**base, **other}).identity for other in [{}, *others]}) == 5
    assert "weights unknown" in one.identity


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[[endpoint]", "must be a TOML file of endpoints"),
        ("", "endpoint: field required"),
        (entry(api_key="sk-12345"), r"api_key: extra inputs.*name the variable instead: api_key_env"),
        (entry(concurrency=0, timeout=0.0), r"concurrency.*\n.*timeout"),
        (entry(wire="voice"), "wire: input should be 'chat' or 'completion'"),
        (entry() + entry(), "different names; got a twice"),
        (entry(base_url="https://u:sk-12345@h/v1"), "holds no password"),
        (entry(extra_body={"n": 4}), "must leave to the study what the study decides; got n"),
        (entry(extra_body={"api_key": "sk-12345"}), "must hold no key; got api_key"),
        (entry(api_key_env="sk-12345"), "api_key_env: string should match pattern"),
    ],
)
def test_mistakes_in_the_file_are_told_without_their_values(tmp_path, text, match):
    with pytest.raises(InputError, match=match) as caught:
        read_endpoints(written(tmp_path, text))
    assert "12345" not in str(caught.value)


def test_where_keys_come_from():
    local = Endpoint(name="my.toy", base_url=LOCAL, model="m")
    other = Endpoint(name="my.toy", base_url="http://gpu.example/v1", model="m")
    tls = Endpoint(name="my.toy", base_url="https://gpu.example/v1", model="m")
    named = Endpoint(name="my.toy", base_url=LOCAL, model="m", api_key_env="MINE")
    both = {"OPENAI_API_KEY": "general", "LIMITSET_API_KEY_MY_TOY": "own", "MINE": " named\n"}
    assert [key_of(one, both) for one in (local, other, tls, named)] == ["own", "own", "own", "named"]
    general = {"OPENAI_API_KEY": "general"}
    # the general key never goes in the clear to another machine
    assert [key_of(one, general) for one in (local, other, tls)] == ["general", None, "general"]
    assert key_of(local, {}) is None
    with pytest.raises(DependencyError, match="must be in the variable MINE; got nothing there"):
        key_of(named, general)
    with pytest.raises(InputError, match="one word of ASCII; got something else") as caught:
        key_of(local, {"OPENAI_API_KEY": "two 12345"})
    assert "12345" not in str(caught.value)


def test_opening_an_endpoint_contacts_nobody():
    model = open_model("openai:m@http://192.0.2.1/v1")
    assert model.name == "m"
    model.close()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}, 7.0),  # the example of RFC 9110, 784111777
        ({"retry-after": "Sun, 06 Nov 1994 08:49:27 GMT"}, 0.0),
        ({"retry-after-ms": "500", "retry-after": "9"}, 0.5),
    ],
)
def test_what_a_server_asks_to_wait(headers, seconds):
    assert retry_after(headers, now=784111770.0) == seconds


def test_waits_double_up_to_the_cap():
    waits = [backoff(tried, longest=10, uniform=0.0) for tried in range(1, 8)]
    assert waits == [0.5, 1, 2, 4, 8, 10, 10]
    assert backoff(3, longest=10, uniform=0.999) == pytest.approx(1.0, abs=0.01)
    assert math.isfinite(backoff(10_000, longest=10, uniform=0.0))


class Failing:
    """Raises what is listed, then returns."""

    def __init__(self, *errors):
        self.errors, self.waits, self.held, self.calls = list(errors), [], [], 0

    async def once(self):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    async def sleep(self, seconds):
        self.waits.append(seconds)

    def run(self, *, tries=5, known=True, longest=60.0):
        return asyncio.run(
            patiently(
                self.once,
                patience=Patience(tries=tries, longest_wait=longest),
                hold=self.held.append,
                known=lambda: known,
                sleep=self.sleep,
                uniform=lambda: 0.0,
            )
        )


def test_patience():
    waits = Failing(PassingError("a"), PassingError("b", wait=7.0), PassingError("c"))
    assert waits.run() == "done"
    assert waits.waits == [0.5, 7.0 + 0.95, 2.0]  # what was asked and a little more: 0.25 + 0.1 * 7
    assert waits.held == [7.0]
    capped = Failing(*[PassingError("a")] * 4)
    assert capped.run(longest=1.5) == "done"
    assert capped.waits == [0.5, 1.0, 1.5, 1.5]


def test_patience_ends():
    with pytest.raises(GaveUpError, match=r"b \(2 tries in 0 s\)"):
        Failing(PassingError("a"), PassingError("b")).run(tries=2)
    with pytest.raises(GaveUpError, match=r"a \(1 try in 0 s\)"):
        Failing(PassingError("a")).run(tries=1)
    with pytest.raises(GaveUpError, match="a and a wish to wait 601 s"):
        Failing(PassingError("a", wait=601)).run()
    never = Failing(*[PassingError("nobody", reached=False)] * 9)
    with pytest.raises(GaveUpError, match="nobody"):
        never.run(tries=9, known=False)
    assert never.calls == NEVER_REACHED
    assert Failing(*[PassingError("restarting", reached=False)] * 8).run(tries=9, known=True) == "done"
    with pytest.raises(KeyError, match="other"):
        Failing(KeyError("other")).run()


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.now += seconds


def times(count, *, requests=0, tokens=0, each=1, correct=None, hold=None):
    """When `count` requests go out that are sent as fast as they may."""

    async def run():
        clock = Clock()
        limit = RateLimit(requests=requests, tokens=tokens, clock=clock, sleep=clock.sleep)
        found = []
        for number in range(count):
            if hold and hold[0] == number:
                limit.hold(hold[1])
            turn = await limit.turn(each)
            found.append(turn.at)
            if correct is not None:
                turn.tokens = correct
        return found

    return asyncio.run(run())


def test_no_minute_holds_more_than_allowed():
    assert times(7, requests=3) == [0, 0, 0, 60, 60, 60, 120]
    assert times(5) == [0] * 5
    assert times(4, tokens=100, each=40) == [0, 0, 60, 60]
    assert times(3, tokens=100, each=500) == [0, 60, 120]  # alone, for none would ever fit
    assert times(4, tokens=100, each=40, correct=10) == [0, 0, 0, 0]  # 30 + 40 fit
    assert times(3, requests=9, tokens=50, each=50) == [0, 60, 120]
    assert times(3, requests=9, hold=(1, 5.0)) == [0, 5, 5]


def test_those_who_came_first_go_first():
    async def run():
        clock, order = Clock(), []
        limit = RateLimit(requests=1, tokens=0, clock=clock, sleep=clock.sleep)

        async def one(number):
            await limit.turn(1)
            order.append(number)

        await asyncio.gather(*(one(number) for number in range(5)))
        return order

    assert asyncio.run(run()) == list(range(5))


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"", 'no JSON but ""'),
        (b"<html>\n hello", 'no JSON but "<html> hello"'),
        (b"[1]", "JSON that is no object"),
        (b"[" * 100_000, "no JSON but"),
        (b"{}", "no choices"),
        (b'{"choices": [1]}', "no choices"),
        (b'{"error": {"message": "upstream"}}', 'no choices in a reply: "upstream"'),
        (b'{"choices": [{}]}', "without a message"),
        (b'{"choices": [{"message": {"content": 3}}]}', "a content that is no text"),
        (b'{"choices": [{"message": {"content": {"a": 1}}}]}', "a content that is no text"),
    ],
)
def test_what_is_no_reply(raw, match):
    with pytest.raises(UnreadableReplyError, match=match):
        read_reply(raw, wire="chat", stop=(), greedy=True, seed=None)


def test_odd_numbers_and_names_do_not_stop_a_reply():
    body = {
        "model": 3,
        "system_fingerprint": "f\n" * 500,
        "usage": {"completion_tokens": -1, "prompt_tokens": True},
        "choices": [{"text": "a", "finish_reason": 7, "logprobs": {"tokens": ["a"], "token_logprobs": []}}],
    }
    reply = read_reply(json.dumps(body).encode(), wire="completion", stop=(), greedy=True, seed=1)
    assert (reply.text, reply.tokens, reply.finish) == ("a", -1, "stop")
    assert (reply.served.model, reply.served.prompt_tokens, reply.served.reply_tokens) == ("", None, None)
    assert len(reply.served.fingerprint) == 100


def test_the_words_of_an_error():
    assert said_in(b'{"detail": "x"}') == "x"
    assert said_in(b'{"error": "x\\n y"}') == "x y"
    assert said_in(b'{"other": 1}') == '{"other": 1}'
    assert said_in(b"\xff\x00 gone") == "\ufffd gone"
    assert len(said_in(b"x" * 5000)) == 200


def test_a_plain_prompt_to_a_conversation_is_one_message():
    one = Endpoint(name="a", base_url=LOCAL, model="m")
    how = {"max_tokens": 3, "top_p": 1.0, "stop": ("\n",), "seed": 1}
    body = request_body(one, "Hi", Draw(0, 0.0), taken=Taken(seed=False, stop=False, logprobs=False), **how)
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.0,
        "max_tokens": 3,
    }


ROOT = Path(__file__).parents[2]


def test_the_files_that_are_shown_can_be_read(tmp_path):
    shown = read_endpoints(ROOT / "examples" / "endpoints.toml")
    assert [one.name for one in shown] == ["local", "local-base", "hosted"]
    [block] = re.findall(
        r"```toml\n(.*?)```", (ROOT / "docs" / "http-models.md").read_text("utf-8"), re.DOTALL
    )
    [one] = read_endpoints(written(tmp_path, block))
    least = Endpoint(name="hosted", base_url="https://models.example.org/v1", model="large-instruct-2026")
    assert one == replace(least, api_key_env="EXAMPLE_API_KEY", extra_body={"min_p": 0.05})
    assert read_endpoints(ROOT / "runs" / "http-panel" / "endpoints.toml")[1].wire == "completion"


def test_the_cache_reads_what_was_written_before_servers_were_asked(tmp_path):
    told = Served(model="m", fingerprint="f", seed=3, prompt_tokens=1, reply_tokens=2, reason="stop")
    with ResponseCache(tmp_path / "r.sqlite") as cache:
        cache.put("m", "new", 0, Reply(text="a", tokens=1, served=told))
        cache.put("m", "old", 0, Reply(text="b", tokens=1))
        cache._connection.execute("UPDATE reply SET body = replace(body, ', \"served\": null', '')")
        bodies = [row[0] for row in cache._connection.execute("SELECT body FROM reply")]
        assert sum("served" in body for body in bodies) == 1
        assert cache.get("m", "new", 0).served == told
        assert cache.get("m", "old", 0).text == "b"

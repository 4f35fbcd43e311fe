"""A small OpenAI-compatible server on this machine, for tests: any of our models behind it, with faults."""

import json
import threading
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from limitset.core.replies import Draw, Message
from limitset.core.streams import Streams

FAULTS = (
    "429 seconds",
    "503",
    "429 date",
    "cut",
    "bad json",
    "html",
    "huge",
    "no choices",
    "null choices",
    "slow",
    "500",
    "error in 200",
    "closed",
)
SLOW_S = 1.5


class Server:
    """Serves `model` at `url`.

    `fault(n)` names what goes wrong with request n (from 0), or gives None; `change(body, answer)` may alter an
    answer before it is sent, or return a status and a body. `seen` holds every request: path, headers, body.
    """

    def __init__(self, model, *, fault=None, change=None, key=None, name="toy", delay=0.0, port=0):
        self.model, self.fault, self.change, self.key, self.name = model, fault, change, key, name
        self.delay = delay
        self.seen, self.at_once, self.most_at_once, self.times = [], 0, 0, []
        self._lock, self._model_lock = threading.Lock(), threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                outer.answer(self)

            def log_message(self, *_):
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that goes away is part of these tests

        self._http = Quiet(("127.0.0.1", port), Handler)
        self.port = self._http.server_port
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def answer(self, http):
        body = json.loads(http.rfile.read(int(http.headers["content-length"])))
        with self._lock:
            number = len(self.seen)
            self.seen.append({"path": http.path, "headers": dict(http.headers), "body": body})
            self.times.append(time.monotonic())
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            time.sleep(self.delay)
            self._answer(http, body, self.fault(number) if self.fault else None)
        finally:
            with self._lock:
                self.at_once -= 1

    def _answer(self, http, body, fault):
        if self.key is not None and http.headers.get("authorization") != f"Bearer {self.key}":
            sent = http.headers.get("authorization", "no key").removeprefix("Bearer ")
            return send(http, 401, {"error": {"message": f"Incorrect API key provided: {sent}"}})
        if body["model"] != self.name:
            return send(http, 404, {"error": {"message": f"The model `{body['model']}` does not exist."}})
        if fault is not None and wrong(http, fault):
            return None
        answer = self._reply(http.path, body)
        if self.change is not None:
            answer = self.change(body, answer)
        status, answer = answer if isinstance(answer, tuple) else (200, answer)
        return send(http, status, answer)

    def _reply(self, path, body):
        if path.endswith("/chat/completions"):
            prompt = tuple(Message(one["role"], one["content"]) for one in body["messages"])
        else:
            prompt = body["prompt"]
        stop = body.get("stop") or ()
        with self._model_lock:
            [[reply]] = self.model.generate(
                [prompt],
                rows=["row"],
                draws=[Draw(body.get("seed", 0), body["temperature"])],
                max_tokens=body.get("max_tokens") or body["max_completion_tokens"],
                top_p=body.get("top_p", 1.0),
                stop=(stop,) if isinstance(stop, str) else tuple(stop),
                rng=Streams(0),
            )
        told = {"message": {"role": "assistant", "content": reply.text}}
        if path.endswith("/v1/completions"):
            told = {"text": reply.text}
        return {
            "id": "x",
            "model": f"{self.name}-2026-11",
            "system_fingerprint": "fp_1",
            "choices": [{"index": 0, "finish_reason": reply.finish, **told}],
            "usage": {"prompt_tokens": 10, "completion_tokens": reply.tokens},
        }


def send(http, status, body, *, kind="application/json", headers=None, length=None):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    http.send_response(status)
    http.send_header("content-type", kind)
    http.send_header("content-length", str(len(raw) if length is None else length))
    for name, value in (headers or {}).items():
        http.send_header(name, value)
    http.end_headers()
    http.wfile.write(raw)


def wrong(http, fault):
    """Do something wrong; returns whether the request is thereby answered."""
    if fault == "slow":
        time.sleep(SLOW_S)
        return False
    http.close_connection = fault in ("cut", "closed")
    if fault != "closed":
        send(http, **answers(fault))
    return True


def answers(fault):
    """What is sent in place of a reply."""
    now = time.time()
    return {
        "429 seconds": {
            "status": 429,
            "body": {"error": {"message": "slow down"}},
            "headers": {"retry-after": "0.1"},
        },
        "429 date": {"status": 429, "body": {}, "headers": {"retry-after": formatdate(now - 1, usegmt=True)}},
        "500": {"status": 500, "body": b"overloaded", "kind": "text/plain"},
        "503": {"status": 503, "body": b"overloaded", "kind": "text/plain"},
        "cut": {"status": 200, "body": b'{"choices": [{"mess', "length": 500},
        "bad json": {"status": 200, "body": b'{"choices": ['},
        "html": {"status": 200, "body": b"<html>Sign in to the hotel network", "kind": "text/html"},
        "huge": {"status": 200, "body": b'{"choices": "' + b"x" * (9 << 20) + b'"}'},
        "no choices": {"status": 200, "body": {"choices": []}},
        "null choices": {"status": 200, "body": {"choices": None}},
        "error in 200": {"status": 200, "body": {"error": {"message": "upstream died", "code": 502}}},
    }[fault]

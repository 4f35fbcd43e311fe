"""Where there is a terminal, a bar; elsewhere a line now and then."""

import io
import math

from limitset.core.progress import KindProgress, Progress
from limitset.engine import ProgressDisplay
from limitset.engine.progress import time_left


def progress(done, *, total=10, seconds=6.0, failed=0):
    kinds = {
        "sample": KindProgress(done=done, left=total - done - failed, seconds=seconds if done else math.nan)
    }
    return Progress(done=done, running=0, failed=failed, total=total, kinds=kinds)


def test_without_a_terminal_a_line_every_thirty_seconds_and_at_the_end():
    now, stream = [0.0], io.StringIO()
    with ProgressDisplay("toy", stream=stream, clock=lambda: now[0]) as display:
        for done, at in ((0, 0), (1, 10), (2, 29), (3, 30), (4, 59), (5, 61), (10, 62)):
            now[0] = at
            display(progress(done))
    assert stream.getvalue().splitlines() == [
        "toy: 0 of 10 tasks",
        "toy: 3 of 10 tasks, about 42 s left",
        "toy: 5 of 10 tasks, about 30 s left",
        "toy: 10 of 10 tasks",
    ]


def test_failures_are_told_and_workers_divide_the_time():
    stream = io.StringIO()
    with ProgressDisplay("toy", workers=2, stream=stream) as display:
        display(progress(5, failed=1))
    assert stream.getvalue() == "toy: 5 of 10 tasks, 1 failed, about 12 s left\n"


def test_on_a_terminal_a_bar_is_drawn_and_removed(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for name in ("NO_COLOR", "TERM", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    with ProgressDisplay("a [bold] title", stream=stream) as display:
        display(progress(4))
    shown = stream.getvalue()
    assert "a [bold] title" in shown
    assert "4/10" in shown
    assert "about 36 s left" in shown


def test_time_left_in_words():
    # 6 s a task: 9 left on one worker is 54 s; 100 min is 1.7 h
    assert time_left(progress(1)) == "about 54 s left"
    assert time_left(progress(1, seconds=60.0)) == "about 9 min left"
    assert time_left(progress(1, seconds=666.7)) == "about 1.7 h left"
    assert time_left(progress(1, seconds=0.01)) == "about 1 s left"
    assert time_left(progress(0)) == ""
    assert time_left(progress(10)) == ""


def test_time_left_by_kind():
    kinds = {
        "fast": KindProgress(done=3, left=1, seconds=1.0),
        "slow": KindProgress(done=1, left=2, seconds=9.0),
        "unknown": KindProgress(done=0, left=2),
    }
    known = Progress(done=4, running=0, failed=0, total=9, kinds=kinds)
    # 1 x 1 + 2 x 9 + 2 x (3 x 1 + 1 x 9) / 4 = 25
    assert known.seconds_left() == 25.0
    assert known.seconds_left(workers=5) == 5.0
    assert known.seconds_left(workers=50) == 5.0  # never more workers than tasks
    assert math.isnan(Progress(done=0, running=0, failed=0, total=2, kinds={}).seconds_left())
    assert Progress(done=0, running=0, failed=0, total=0, kinds={}).seconds_left() == 0.0

"""How much faster than Inspect's own reader are 2,000 samples read, and are the answers the same?

    python runs/logs/make_inspect.py big 500 4          # with the environment of runs/logs/README.md
    python benchmarks/inspect_logs.py big PYTHON        # PYTHON: the python of that environment

Inspect runs in its own environment, so its time is taken inside that process, after its imports. Each reader
reads each log three times; the least time counts. As in an audit, one scorer is
read: the first.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from limitset.logs.inspect_log import offered_by_inspect
from limitset.logs.inspect_samples import VALUES

REPEATS = 3

THEIRS = """
import json, sys, time
from inspect_ai.log import read_eval_log
times = []
for _ in range(int(sys.argv[2])):
    start = time.process_time()
    log = read_eval_log(sys.argv[1])
    times.append(time.process_time() - start)
print(json.dumps([min(times), [
    [s.input, s.epoch, {n: [v.value, v.answer] for n, v in s.scores.items()}, s.output.completion]
    for s in log.samples
]]))
"""


def ours(path):
    """Return the least CPU time and the log under its first scorer."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        log = offered_by_inspect(path)[0].read()
        times.append(time.process_time() - start)
    return min(times), log


def main(folder, python):
    """Print one line a log."""
    for path in sorted(folder.glob("*.eval")):
        out = subprocess.run(
            [python, "-c", THEIRS, str(path), str(REPEATS)], capture_output=True, text=True, check=True
        )
        their_time, theirs = json.loads(out.stdout)
        our_time, log = ours(path)
        # every question of these logs has a text of its own
        by_place = {(text, epoch - 1): rest for text, epoch, *rest in theirs}
        same = 0
        for reply in log.replies:
            scores, completion = by_place[log.questions[reply.identity].text, reply.repeat]
            value, answer = scores[log.filter]
            same += reply.score == VALUES[value] and (value == "N" or reply.text == (answer or completion))
        print(
            f"{path.name[26:44]}  samples {len(theirs)}  "
            f"Inspect {their_time:.2f} s  limitset {our_time:.3f} s  "
            f"ratio {their_time / our_time:.0f}  same {same} of {len(theirs)}"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

"""Where the logs written by the real tools stand, and how a test changes a copy of them."""

import json
import zipfile
from pathlib import Path

FIXTURES = Path(__file__).parent / "fixtures"
LM_EVAL = FIXTURES / "lm_eval"
INSPECT = FIXTURES / "inspect"


def samples(folder, task):
    """Return the file of samples of one task."""
    (found,) = (LM_EVAL / folder).rglob(f"samples_{task}_2*.jsonl")
    return found


def records(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def eval_logs(task):
    return sorted(INSPECT.glob(f"*_{task}_*.eval"))


def members(path):
    """Return the members of an .eval as bytes."""
    from backports.zstd import zipfile as with_zstd

    with with_zstd.ZipFile(path) as archive:
        return {one.filename: archive.read(one.filename) for one in archive.infolist()}


def zipped(path, contents, *, compression=zipfile.ZIP_DEFLATED):
    """Write a zip as older versions of Inspect did: deflate."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return path

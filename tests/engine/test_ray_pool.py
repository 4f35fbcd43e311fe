"""On Ray: the same tables with a worker killed, on a Ray of our own and on a cluster that is there.

Ray listens on the node's address and outlives its driver, so it runs in a network and process namespace of its
own: nothing outside can reach it, and everything dies with it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from limitset.core.errors import DependencyError
from limitset.engine import run_tasks

SCRIPT = Path(__file__).with_name("ray_run.py")
APART = ("unshare", "-n", "-p", "-f", "--mount-proc")


def can_be_apart() -> bool:
    if not all(shutil.which(tool) for tool in ("unshare", "ip")):
        return False
    return subprocess.run([*APART, "true"], check=False, capture_output=True).returncode == 0


@pytest.fixture
def short_folder() -> Iterator[Path]:
    # the paths of Ray's sockets may have 107 characters, fewer than a folder of pytest and their names
    folder = Path(tempfile.mkdtemp(prefix="r"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.ray
@pytest.mark.skipif(not find_spec("ray"), reason="needs the extra ray")
@pytest.mark.parametrize("address", ["local", "127.0.0.1:6399"])
def test_the_tables_are_those_of_one_process_though_a_worker_dies(short_folder, address):
    if not can_be_apart():
        pytest.skip("needs namespaces of its own (unshare)")
    start = (
        f"{Path(sys.executable).with_name('ray')} start --head --port=6399 --num-cpus=2 --include-dashboard=false"
        f" --object-store-memory=100000000 --disable-usage-stats --temp-dir={short_folder}/t >&2; "
    )
    script = f"{sys.executable} {SCRIPT} {short_folder} {address}"
    result = subprocess.run(
        [*APART, "sh", "-c", f"ip link set lo up; {start if address != 'local' else ''}exec {script}"],
        env={
            **os.environ,
            "HOME": str(short_folder),
            "RAY_TMPDIR": str(short_folder),
            "RAY_AUTH_MODE": "disabled",
        },
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert result.stdout.endswith("all rows\n"), result.stderr


def test_without_ray_the_extra_is_named(open_study, work, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with open_study() as folder, pytest.raises(DependencyError, match=r"pip install 'limitset\[ray\]'"):
        run_tasks(folder, work, backend="ray")

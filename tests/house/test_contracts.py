"""Do the layers hold, and is `import limitset` light?"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "pandas", "scipy", "matplotlib", "duckdb", "altair", "transformers", "polars", "numpy"}


def loaded_by(code: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after running the code."""
    listing = "import sys; print('\\n'.join(sorted({name.split('.')[0] for name in sys.modules})))"
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\n{listing}"], capture_output=True, text=True, check=True
    )
    return set(out.stdout.split())


def test_import_contracts_hold():
    out = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert out.returncode == 0, out.stdout[-2000:]


def test_import_limitset_loads_nothing_heavy():
    assert not loaded_by("import limitset") & HEAVY


def test_command_line_loads_nothing_heavy():
    # rich and typer are all that --help needs
    assert not loaded_by("import limitset.cli.main") & HEAVY


@pytest.mark.parametrize(
    "layer", ["core.ends", "core.results", "core.tallies", "store.study_folder", "report.page"]
)
def test_layers_without_torch_do_not_load_it(layer):
    assert "torch" not in loaded_by(f"import limitset.{layer}")


def test_files_hold_one_idea():
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / "src").rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > (200 if "instruments" in path.parts else 400)
    }
    assert not long, f"split these: {long}"


def test_no_vague_names():
    vague = {"utils", "util", "helpers", "common", "misc", "base"}
    assert not [path for path in (ROOT / "src").rglob("*") if path.stem in vague]

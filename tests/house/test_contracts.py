"""Do the layers hold, and is `import limitset` light?"""

import ast
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


def code_lines(path):
    """Lines that are neither blank nor part of a docstring: documentation does not make a file two ideas."""
    text = path.read_text(encoding="utf-8")
    documented = set()
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            documented.update(range(body[0].lineno, body[0].end_lineno + 1))
    return sum(
        bool(line.strip()) and number not in documented for number, line in enumerate(text.splitlines(), 1)
    )


def test_files_hold_one_idea():
    files = list((ROOT / "src").rglob("*.py"))
    long = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert not {path: lines for path, lines in long.items() if lines > 400}
    instruments = {str(p.relative_to(ROOT)): code_lines(p) for p in files if "instruments" in p.parts}
    assert not {path: lines for path, lines in instruments.items() if lines > 200}


def test_no_vague_names():
    vague = {"utils", "util", "helpers", "common", "misc", "base"}
    assert not [path for path in (ROOT / "src").rglob("*") if path.stem in vague]

"""Load the toy study once and run it once without interruption."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOY = Path(__file__).with_name("toy_study.py")


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    spec = importlib.util.spec_from_file_location("toy_study", TOY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["toy_study"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def finished(toy: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a toy study that ran without interruption; look, do not touch."""
    path = tmp_path_factory.mktemp("toy") / "finished"
    assert toy.run_toy(path).finished == toy.TASKS
    return path

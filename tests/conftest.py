"""Fixtures that every test may use, and run-time checks of every annotation."""

import os
import shutil

# before anything of limitset is imported: results may not depend on the number of threads
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import pytest
from jaxtyping import install_import_hook

install_import_hook("limitset", "runtime_types.checked")


@pytest.fixture
def chromium():
    """A browser without a network, and what it said on its console."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium")
    if found is None:
        pytest.skip("no Chromium on this machine")
    flags = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=flags.split())
        yield browser
        browser.close()

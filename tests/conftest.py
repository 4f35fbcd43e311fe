"""Fixtures that every test may use, and run-time checks of every annotation."""

import os

# before anything of limitset is imported: results may not depend on the number of threads
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from jaxtyping import install_import_hook

install_import_hook("limitset", "runtime_types.checked")

"""Where is a model of the hub on this machine?"""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from limitset.core.errors import DependencyError

WANTED = ["*.json", "*.safetensors", "*.jinja", "tokenizer.model"]


def snapshot(name: str) -> Path:
    """Return the folder of a hub model: the local hub cache first, then the hub itself.

    Raises
    ------
    DependencyError
        When it is neither in the cache nor to be had.
    """
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=WANTED, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=WANTED))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise DependencyError.of(
            expected=f"the model {name} must be in the local hub cache, or the hub within reach",
            got=f"neither ({type(error).__name__})",
            fix="Fetch it on a machine with network, or give a folder.",
        ) from error

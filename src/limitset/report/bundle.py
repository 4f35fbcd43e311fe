"""Where does the page's chart library come from, without a network and without a copy in the package?

The installed vl-convert carries Vega; it is bundled once a version and kept in the user's cache folder.
"""

from __future__ import annotations

import os
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

from limitset.core import parquet

SNIPPET: Final = "window.vegaEmbed=vegaEmbed;"


@lru_cache(maxsize=1)
def javascript() -> str:
    """Return Vega, Vega-Lite and vega-embed as one script that can stand inside a page."""
    kept = cache_folder() / f"vega-{version('vl-convert-python')}.js"
    if not kept.is_file():
        kept.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_text(kept, _bundled())
    return kept.read_text(encoding="utf-8")


def cache_folder() -> Path:
    """Return the user's cache folder for limitset; the environment variable LIMITSET_CACHE moves it."""
    from platformdirs import user_cache_path

    named = os.environ.get("LIMITSET_CACHE")
    return Path(named) if named else user_cache_path("limitset")


def _bundled() -> str:
    import vl_convert

    code: str = vl_convert.javascript_bundle(SNIPPET)
    # only the closing tag: replacing every "</" breaks regular expressions inside the library. A page may
    # not hold carriage returns either: browsers turn them into line feeds, and the hash no longer fits.
    code = code.replace("</script", "<\\/script").replace("<!--", "<\\!--")
    return code.replace("\r\n", "\n").replace("\r", "\n")

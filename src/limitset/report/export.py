"""How does a chart become a picture for a paper or a slide?"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Final

from limitset.core import parquet
from limitset.core.errors import InputError

WIDTH: Final = 760
FORMATS: Final = (".png", ".svg")


def save_chart(chart: Any, path: Path, *, width: int = WIDTH, scale: float = 2.0) -> None:
    """Write a chart as PNG or SVG, by the ending of the path; no browser and no network are needed.

    Parameters
    ----------
    chart
        An altair chart.
    path
        Ends in .png or .svg.
    width
        Pixels across, for charts that fill whatever contains them.
    scale
        Pixels of the file per pixel of the chart, PNG only.

    Raises
    ------
    InputError
        When the path ends otherwise.
    """
    import vl_convert

    if path.suffix not in FORMATS:
        raise InputError.of(
            expected=f"a picture must end in {' or '.join(FORMATS)}", got=path.name, fix="Rename it."
        )
    spec = on_paper(chart.to_dict(), width=width)
    if path.suffix == ".svg":
        parquet.write_text(path, vl_convert.vegalite_to_svg(spec))
        return
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(vl_convert.vegalite_to_png(spec, scale=scale))
        parquet.publish(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def on_paper(spec: dict[str, Any], *, width: int) -> dict[str, Any]:
    """Give a chart that fills its container a width, and white paper behind it."""
    spec = copy.deepcopy(spec)
    if spec.get("width") == "container":
        spec["width"] = width
    spec["config"] = {**spec.get("config", {}), "background": "#ffffff"}
    return spec

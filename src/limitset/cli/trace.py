"""`limitset trace`: where a looped model ends up, and how often that place is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from limitset.cli.output import announce, command_line, print_json, today


def trace(
    loop: Annotated[
        str,
        typer.Argument(
            help="MODULE:OBJECT or FILE.py:OBJECT with start and step (and readout, key); "
            "or a study file (TOML) of kind trace or recurrence; or recurrence: the laboratory; or layers: "
            "the layers of a language model."
        ),
    ],
    steps: Annotated[
        int, typer.Option(min=0, help="Steps of each input; 0: eight times the usual number.")
    ] = 0,
    tolerance: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Distance to the limit, relative to its norm.")
    ] = 1e-3,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every random draw.")] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Laboratory: 2 x 2 cells x 3 seeds, prefix sums.")
    ] = False,
    untrained: Annotated[
        bool, typer.Option("--untrained", help="Laboratory: random blocks, nothing is trained.")
    ] = False,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Layers: packaged name, folder or hub id.")
    ] = "smollm2-135m-instruct",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Study folder.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Laboratory: processes, 0 for one a core.")] = 0,
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page when done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Trace a looped, recurrent-depth or equilibrium model: settled? same? right?

    Stopped or killed, the same command goes on where it was.

    For example:

      limitset trace examples/looped_net.py:LoopedNet

      limitset trace mypackage.models:loop --steps 400 --out trace-monday

      limitset trace recurrence --quick

      limitset trace layers --model ./my-model
    """
    # before torch is loaded: the products of small nets are too small for threads
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    _require_torch()
    _refuse_options(loop, steps=steps, quick=quick, untrained=untrained)
    from limitset.engine.progress import ProgressDisplay
    from limitset.studies.spec import Recurrence

    if loop == "layers":
        from limitset.studies.layers_run import run_layers

        layers = run_layers(model, out=out or Path("layers"), date=today(), command=command_line())
        if as_json:
            print_json(layers.summary())
        else:
            announce(layers.page, layers.path, open_page=open_page)
        return
    written = _study_of(loop)
    if loop == "recurrence" or isinstance(written, Recurrence):
        from limitset.studies import recurrence

        with ProgressDisplay("laboratory") as on_progress:
            done = recurrence.run_recurrence(
                written or recurrence.spec_of(quick=quick, untrained=untrained, seed=seed),
                out or Path(recurrence.folder_name(quick=quick, untrained=untrained)),
                date=today(),
                command=command_line(),
                workers=workers,
                on_progress=on_progress,
            )
    else:
        from limitset.studies import tracing

        with ProgressDisplay("trace") as on_progress:
            done = tracing.run_trace(
                written or tracing.spec_of(loop, steps=steps, tolerance=tolerance, seed=seed),
                out or Path("trace"),
                date=today(),
                command=command_line(),
                on_progress=on_progress,
            )
    if as_json:
        print_json(done.summary())
        return
    announce(done.page, done.path, open_page=open_page)


def _study_of(loop: str) -> Any:
    """Read a study file; None where no file was named."""
    if not loop.endswith(".toml"):
        return None
    from limitset.core.errors import InputError
    from limitset.studies.spec import Recurrence, Trace, read_study

    study = read_study(Path(loop))
    if not isinstance(study, Trace | Recurrence):
        raise InputError.of(
            expected="limitset trace takes a study of kind trace or recurrence",
            got=study.kind,
            fix="Use limitset run.",
        )
    return study


def _refuse_options(loop: str, *, steps: int, quick: bool, untrained: bool) -> None:
    from limitset.core.errors import InputError

    if loop != "recurrence" and (quick or untrained):
        raise InputError.of(
            expected="--quick and --untrained belong to limitset trace recurrence",
            got=f"them beside {loop}",
            fix="Leave them out.",
        )
    if loop == "recurrence" and (steps or (quick and untrained)):
        raise InputError.of(
            expected="the laboratory takes --quick or --untrained, and no --steps",
            got="another choice",
            fix="See limitset trace --help.",
        )


def _require_torch() -> None:
    from importlib.util import find_spec

    from limitset.core.errors import DependencyError

    if find_spec("torch") is None:
        raise DependencyError.of(
            expected="limitset trace runs models in torch",
            got="no torch",
            fix="Run: pip install 'limitset[models]'.",
        )

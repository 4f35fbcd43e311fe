"""Which verdicts ship with the library?

Usage: python runs/library/ship.py [CLAIM ...]

Runs the protocols of the claims named (all that can be run, if none is) at the tier written below, and adds
each verdict to the histories of the built-in shelf. Parts are kept in runs/library/work: stopped, the same
command goes on.
"""

import datetime as dt
import os
import shutil
import sys
from pathlib import Path
from typing import Final

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from limitset.core.evidence import Tier
from limitset.library.holdings.library import BUILTIN, Library
from limitset.library.holdings.shelf import Shelf
from limitset.library.judge.running import Wanted, put_to_test

WORK: Final = Path(__file__).parent / "work"
TIERS: Final = dict.fromkeys(("p05", "p06", "p07", "p29", "p39", "p40"), Tier.NORMAL)
"""Where the quick tier leaves open what a reader asks first."""


def ship(named: list[str]) -> None:
    """Run and keep."""
    built_in = Shelf(BUILTIN, builtin=True)
    own = Shelf(WORK)
    library = Library((built_in, own))
    claims = [claim for name in named for claim in library.claims_of(name)]
    claims = claims or [claim for claim in library.claims.values() if claim.runnable]
    for claim in claims:
        if built_in.verdict_file(claim.id).is_file():  # a verdict follows the one before it
            own.verdict_file(claim.id).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(built_in.verdict_file(claim.id), own.verdict_file(claim.id))
    today = dt.date.today()
    for protocol in dict.fromkeys(claim.protocol for claim in claims):
        tier = TIERS.get(protocol, Tier.QUICK)
        for done in put_to_test(
            [claim for claim in claims if claim.protocol == protocol],
            library=library,
            wanted=Wanted(tier=tier),
            today=today,
            date=f"{today:%-d %b %Y}",
            command=f"limitset claims test {protocol[1:]} --tier {tier}",
            say=lambda line: print(line, file=sys.stderr),
        ):
            shutil.copy(own.verdict_file(done.claim.id), built_in.verdict_file(done.claim.id))
            print(done.claim.id, done.verdict.value, done.verdict.reason, sep="\t")


if __name__ == "__main__":
    ship(sys.argv[1:])

"""What must be unchanged for a verdict to stand?"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from limitset.core.evidence import Protocol
from limitset.library.holdings.records import Claim


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """The protocol's file, the instruments and data it uses, and the frozen part of the claim.

    Examples
    --------
    >>> mark = Fingerprint(file="a", claim="b", instruments=("x@1",), data=())
    >>> mark.hash == Fingerprint(file="a", claim="b", instruments=("x@2",), data=()).hash
    False
    """

    file: str
    claim: str
    instruments: tuple[str, ...]
    data: tuple[str, ...]

    @property
    def hash(self) -> str:
        """One sha256 of all parts."""
        return _sha256([self.file, self.claim, list(self.instruments), list(self.data)])


def fingerprint(protocol: Protocol, file: Path, claim: Claim) -> Fingerprint:
    """Return the fingerprint of a claim under its protocol as they stand now."""
    return Fingerprint(
        file=file_hash(file),
        claim=claim_hash(claim),
        instruments=tuple(sorted(protocol.instruments)),
        data=tuple(sorted(protocol.data)),
    )


def file_hash(path: Path) -> str:
    """Return the sha256 of a protocol's file; ends of lines do not count."""
    return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def claim_hash(claim: Claim) -> str:
    """Return the sha256 of what is frozen in a claim."""
    return _sha256(claim.frozen())


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

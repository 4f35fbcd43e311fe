"""What is one piece of work of a study, and when is it the same piece?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Task:
    """One frozen chunk of a study.

    Its composition is fixed in the specification, so a killed and resumed study gives the same tables; its
    hash names the part file that holds its rows.

    Parameters
    ----------
    kind
        What is done: ``"sample"``, ``"loop"``.
    chunk
        JSON-ready arguments: which items, which wording, which draws.
    identity
        What the answer depends on besides the chunk: sha256 of the model, data manifest.
    versions
        Instrument or map name to integer version.

    Examples
    --------
    >>> a = Task(kind="sample", chunk={"items": ["q1"], "seed": 0}, identity="m@1", versions={"sampling": 1})
    >>> b = Task(kind="sample", chunk={"seed": 0, "items": ["q1"]}, identity="m@1", versions={"sampling": 1})
    >>> a.hash == b.hash, len(a.hash)
    (True, 32)
    """

    kind: str
    chunk: Mapping[str, Any]
    identity: str
    versions: Mapping[str, int] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """Hex name of the task: 128 bits of sha256 over everything that decides its rows."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:32]

    def to_json(self) -> str:
        """Write with sorted keys, so that equal tasks give equal text."""
        body = {
            "kind": self.kind,
            "chunk": dict(self.chunk),
            "identity": self.identity,
            "versions": dict(self.versions),
        }
        return json.dumps(body, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Task:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))

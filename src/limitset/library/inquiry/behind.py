"""Which claims would have to be run again for an answer to be as fresh as it can be?"""

from __future__ import annotations

from limitset.library.holdings.library import Library
from limitset.library.holdings.records import Claim
from limitset.library.inquiry.answer import Answer


def claims_behind(answer: Answer, library: Library) -> tuple[Claim, ...]:
    """Return the claims that can be run and bear on an answer.

    Parameters
    ----------
    answer
        What was answered.
    library
        What is held.

    Returns
    -------
    tuple
        First those whose verdict is cited, then those that rest on a cited atom, then their rivals.

    Examples
    --------
    >>> import datetime as dt
    >>> from limitset.library.holdings.library import BUILTIN
    >>> from limitset.library.holdings.shelf import Shelf
    >>> from limitset.library.inquiry.asking import ask
    >>> library = Library((Shelf(BUILTIN, builtin=True),), as_of=dt.date(2026, 11, 21))
    >>> answer = ask("Does input injection decide where a loop settles?", library=library,
    ...     today=dt.date(2026, 11, 21))
    >>> "06a" in {claim.id for claim in claims_behind(answer, library)}
    True
    """
    said = (*answer.sentences, *((answer.surprise,) if answer.surprise else ()))
    cited = {cite for sentence in said for cite in sentence.cites}
    judged = [
        verdict.claim for history in library.histories.values() for verdict in history if verdict.id in cited
    ]
    resting = [claim.id for claim in library.claims.values() if cited & set(claim.atoms)]
    direct = [*judged, *resting]
    rivals = [rival for name in direct if name in library.claims for rival in library.claims[name].rivals]
    chosen = [library.claims[name] for name in dict.fromkeys((*direct, *rivals)) if name in library.claims]
    return tuple(claim for claim in chosen if claim.runnable)

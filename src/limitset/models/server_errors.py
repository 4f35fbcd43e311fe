"""Why did a server not answer, and what should the user do about it?"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from limitset.core.errors import DependencyError
from limitset.models.endpoints import OWN_KEY, Endpoint, key_variable
from limitset.models.retrying import PassingError

KEPT: Final = "Replies so far are kept, the same command goes on from there."

FILTERED: Final = frozenset({"content_filter", "content_policy_violation"})
"""Codes of a server that refuses to answer this question: a reply like any other refusal."""

NO_MONEY: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Codes that come with status 429 and do not pass by waiting."""

OF_THE_REQUEST: Final = frozenset({400, 413, 422})
"""Statuses that speak of one request: the next one may be taken."""


def refused(endpoint: Endpoint, status: int, told: str, *, keyed: bool) -> DependencyError:
    """Return the error for a status that ends the run.

    Parameters
    ----------
    endpoint
        Who was asked.
    status
        Of HTTP.
    told
        Status and words of the server, the key taken out of them.
    keyed
        Whether a key was sent.

    Examples
    --------
    >>> one = Endpoint(name="a", base_url="http://127.0.0.1:80/v1", model="m")
    >>> print(refused(one, 404, "status 404", keyed=False))
    http://127.0.0.1:80/v1 must answer for a; got status 404. Check that it has a model "m" and that the
    address ends in /v1. Replies so far are kept, the same command goes on from there.
    """
    variable = key_variable(endpoint, os.environ)
    if status in (401, 403) and not keyed:
        where = variable if variable.startswith(OWN_KEY) else f"the variable {variable}"
        fix = f"No key was sent: put it into {where}."
    else:
        fix = {
            401: f"Put the right key into {variable}.",
            403: f"Check what the key in {variable} may do.",
            404: f'Check that it has a model "{endpoint.model}" and that the address ends in /v1.',
        }.get(status, "Ask whoever runs the server.")
    return DependencyError.of(
        expected=f"{endpoint.base_url} must answer for {endpoint.name}", got=told, fix=f"{fix} {KEPT}"
    )


def unreached(endpoint: Endpoint, error: BaseException, *, known: bool) -> DependencyError | PassingError:
    """Return what to raise when nothing came back: a failure that may pass, or a certificate.

    Parameters
    ----------
    endpoint
        Who was asked.
    error
        What the client raised.
    known
        Whether the server has answered before.
    """
    causes = list(_causes(error))
    tls = next((one for one in causes if isinstance(one, ssl.SSLError)), None)
    if tls is not None and not isinstance(tls, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        why = getattr(tls, "verify_message", "") or (tls.reason or "no TLS").lower().replace("_", " ")
        return DependencyError.of(
            expected=f"{endpoint.base_url} must show a certificate that this machine trusts",
            got=why,
            fix="Set SSL_CERT_FILE to the certificates it needs, or write http:// where there is no TLS.",
        )
    system = [one for one in causes if isinstance(one, OSError) and one.errno]
    reason = (_words(system[-1]) if system else str(causes[0])) or type(causes[0]).__name__
    return PassingError(f"{reason}{_through(endpoint)}", reached=known or not system)


def _words(error: OSError) -> str:
    # asyncio puts the address in front of the words of the system
    words = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
    return words[0].lower() + words[1:] if words else ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _through(endpoint: Endpoint) -> str:
    """Say that a proxy of the environment stands between, if one does."""
    parts, proxies = urlsplit(endpoint.base_url), getproxies()
    scheme = next((one for one in (parts.scheme, "all") if one in proxies), None)
    if endpoint.here or scheme is None or proxy_bypass(parts.hostname or ""):
        return ""
    return f" through the proxy that {scheme.upper()}_PROXY names"

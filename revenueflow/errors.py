"""The errors of RevenueFlow.

    RevenueFlowError            code, HTTP status, retryable
    ├── ConfigurationError      a setting or a file that people edit is wrong (exit code 78)
    ├── InvalidInput            a caller sent something that can't be used; names the place, never the value
    ├── NotAuthenticated / NotAllowed / NotFound / TooLarge / UnsupportedMedia / TooSlow / TooManyRequests
    ├── Unavailable             something we need does not answer now; try again later
    │   └── Contended             another transaction holds what this one needs
    ├── Refused                 Postgres does not take a value; nothing was written
    ├── LeaseLost               another worker owns the job now; whatever we hold is void
    └── UpstreamError           a vendor answered badly
        ├── UpstreamUnavailable   not reached, overloaded, or 5xx: try again
        ├── UpstreamRejected      it understood and refused: trying again is of no use
        └── OutcomeUnknown        the request may or may not have been executed

Messages say what was wrong, where, what is allowed and what to do. They never hold a rejected value: that
value may be personal data or a secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One place in the input that is wrong: an RFC 6901 JSON Pointer and a sentence without the value."""

    pointer: str
    detail: str


def plain(said: str) -> str:
    """What a validator says, as people say it who edit a file and never saw a validator."""
    if found := _TAG.match(said):  # it would repeat the value
        return f"{found[1]} must be one of {found[2]}"
    if said.startswith("Input should be a valid UUID"):  # as well, a part of it
        return "must be a UUID"
    if found := _NO_TAG.match(said):
        return f"{found[1]} must be given"
    return _PLAIN.get(said, said).removeprefix("Value error, ").removeprefix("Assertion failed, ")


_PLAIN = {"Extra inputs are not permitted": "there is no such key here", "Field required": "must be given"}
_NO_TAG = re.compile(r"Unable to extract tag using discriminator '?(\w+?)'?(?:\(\))?$")
_TAG = re.compile(
    r"Input tag .* found using '?(\w+?)'?(?:\(\))? does not match any of the expected tags: (.*)", re.DOTALL
)


class RevenueFlowError(Exception):
    """Base of every error that we raise on purpose."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str, *, faults: tuple[Fault, ...] = (), retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.retry_after = retry_after


class ConfigurationError(RevenueFlowError):
    """A setting, or a file that people edit, is wrong: the process must not start."""

    code = "configuration"
    title = "Configuration is wrong"


class InvalidInput(RevenueFlowError):
    """The request can be read, but not used."""

    code = "invalid_input"
    status = 422
    title = "Input is not valid"


class MalformedInput(InvalidInput):
    """The request body is not in the form that its content type announces."""

    code = "malformed_input"
    status = 400
    title = "Body is malformed"


class NotAuthenticated(RevenueFlowError):
    """No credential, or one that we don't know."""

    code = "not_authenticated"
    status = 401
    title = "Credential missing or unknown"


class NotAllowed(RevenueFlowError):
    """The credential is known, its role may not do this."""

    code = "not_allowed"
    status = 403
    title = "Not allowed for this role"


class NotFound(RevenueFlowError):
    """Nothing with that id."""

    code = "not_found"
    status = 404
    title = "Not found"


class Conflict(RevenueFlowError):
    """The request contradicts what is already stored."""

    code = "conflict"
    status = 409
    title = "Conflict"


class InFlight(Conflict):
    """Another request with the same Idempotency-Key has not ended."""

    retryable = True


class IdempotencyMismatch(RevenueFlowError):
    """The Idempotency-Key was used before, for another body."""

    code = "idempotency_mismatch"
    status = 422
    title = "Idempotency-Key used for another request"


class TooLarge(RevenueFlowError):
    """The body is over the cap."""

    code = "too_large"
    status = 413
    title = "Body too large"


class UnsupportedMedia(RevenueFlowError):
    """A content type or encoding that this endpoint does not take."""

    code = "unsupported_media"
    status = 415
    title = "Content type not supported"


class TooSlow(RevenueFlowError):
    """The body did not arrive in time."""

    code = "too_slow"
    status = 408
    title = "Body too slow"


class TooManyRequests(RevenueFlowError):
    """The caller is over its rate limit; nothing was done."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"
    retryable = True


class Unavailable(RevenueFlowError):
    """Something that we need does not answer now; nothing was accepted."""

    code = "unavailable"
    status = 503
    title = "Try again later"
    retryable = True


class Contended(Unavailable):
    """Another transaction holds what this one needs, for too long; nothing was written."""

    code = "contended"


class Refused(RevenueFlowError):
    """Postgres does not take a value: of the wrong form, or against a constraint. Nothing was written."""

    code = "refused"
    status = 422
    title = "Not storable"


class LeaseLost(RevenueFlowError):
    """Another worker owns this job now: stop, and write nothing."""

    code = "lease_lost"


class UpstreamError(RevenueFlowError):
    """A vendor did not do what we asked. `upstream` names it, `reason` is a short stable code."""

    code = "upstream"
    status = 502
    title = "An upstream failed"

    def __init__(self, upstream: str, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{upstream}: {reason}", retry_after=retry_after)
        self.upstream = upstream
        self.reason = reason


class UpstreamUnavailable(UpstreamError):
    """Not reached, overloaded, rate limited or 5xx: clearly not executed, worth another try."""

    code = "upstream_unavailable"
    retryable = True


class UpstreamRejected(UpstreamError):
    """Understood and refused: another try with the same request is of no use."""

    code = "upstream_rejected"


class OutcomeUnknown(UpstreamError):
    """The request left, the answer did not arrive: it may or may not have been executed."""

    code = "outcome_unknown"
    retryable = True

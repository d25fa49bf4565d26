"""Who sent it: the proofs that senders give. All comparisons take the same time whatever they find."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Sequence
from hashlib import sha256

_TIMESTAMP = re.compile(r"[0-9]{1,16}")
_DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
    "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip


def shared_secret(given: str | None, secrets: Sequence[str]) -> bool:
    """Marketo: the header holds the secret itself. Without any secret set, nothing is accepted."""
    return _one_of([(given or "").encode()], [secret.encode() for secret in secrets])


def hubspot_v3(
    *, method: str, url: str, body: bytes, timestamp: str | None, signature: str | None,
    secrets: Sequence[str], now: float, tolerance: float,
) -> bool:  # fmt: skip
    """HubSpot: base64(HMAC-SHA-256(secret, method + url + body + timestamp)); `url` is the public one.

    `timestamp` is in milliseconds, `now` and `tolerance` in seconds; older and future ones are refused.
    """
    if timestamp is None or not _TIMESTAMP.fullmatch(timestamp):
        return False
    if not 0 <= now * 1000 - int(timestamp) <= tolerance * 1000:
        return False
    signed = method.encode() + _decoded(url).encode() + body + timestamp.encode()
    wanted = [b64encode(hmac.digest(secret.encode(), signed, sha256)) for secret in secrets]
    return _one_of([(signature or "").encode()], wanted)


def standard_webhook(
    *, message_id: str | None, timestamp: str | None, signatures: str | None, body: bytes,
    secrets: Sequence[str], now: float, tolerance: float,
) -> bool:  # fmt: skip
    """Standard Webhooks: one of the `v1,…` signatures is HMAC-SHA-256 of `id.timestamp.body`; seconds."""
    if not message_id or timestamp is None or not _TIMESTAMP.fullmatch(timestamp):
        return False
    if abs(now - int(timestamp)) > tolerance:
        return False
    signed = message_id.encode() + b"." + timestamp.encode() + b"." + body
    wanted = [b64encode(hmac.digest(_key(secret), signed, sha256)) for secret in secrets]
    given = [part[3:].encode() for part in (signatures or "").split() if part.startswith("v1,")]
    return _one_of(given, wanted)


def _one_of(given: Sequence[bytes], wanted: Sequence[bytes]) -> bool:
    # Every pair is compared, whatever the first one gave: the time tells nothing.
    return sum(hmac.compare_digest(one, other) for one in given for other in wanted) > 0


def _decoded(url: str) -> str:
    path, mark, query = url.partition("?")
    for code, character in _DECODED.items():
        query = query.replace(code, character).replace(code.lower(), character)
    return path + mark + query


def _key(secret: str) -> bytes:
    encoded = secret.removeprefix("whsec_")
    try:
        return b64decode(encoded, validate=True)
    except Base64Error:
        return secret.encode()

"""Whether two values of a field are the same once normalised: what a write must share with its claim."""

from __future__ import annotations

from pydantic import JsonValue, TypeAdapter, ValidationError

from revenueflow.domain.claim import ClaimField
from revenueflow.domain.vocabulary import Vocabulary
from revenueflow.grounding.fields import FIELDS

_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)


def same_value(field: str, one: object, other: object, vocabulary: Vocabulary) -> bool:
    """True if both are understood as the same value of this field."""
    known = FIELDS.get(ClaimField(field)) if field in set(ClaimField) else None
    if known is None:
        return one == other
    try:
        first, second = (known.read(_JSON.validate_python(value), vocabulary) for value in (one, other))
    except ValidationError:
        return False
    return first is not None and first == second

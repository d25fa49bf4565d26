"""What all domain values share: immutable, strict about unknown fields, and JSON both ways."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    """An immutable value object. Unknown fields are an error: a checkpoint of another version must not half-load."""

    model_config = ConfigDict(frozen=True, extra="forbid")

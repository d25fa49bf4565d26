"""How an upstream misbehaves, as `PUT /_sandbox/faults/{upstream}` sets it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Rate = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[int, Field(ge=0, le=600_000)]


class Faults(BaseModel):
    """One upstream's faults. Decided in this order: quota, timeout, error, then the effect, then its answer.

    An error happens before the effect, with `status` (503 if not set). A lost answer happens after it: the
    connection is closed; or, with a `status` and an `error_rate` of 0, that status is answered instead
    ("503 after commit"). `quota` is how many requests are answered from now on, None is no limit.
    `lag_ms` is how long a write to the CRM stays unseen by reads. A time-out holds the request up to 60 s.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    latency_ms: Milliseconds = 0
    jitter_ms: Milliseconds = 0
    error_rate: Rate = 0.0
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    timeout_rate: Rate = 0.0
    lose_answer_rate: Rate = 0.0
    lag_ms: Milliseconds = 0
    quota: Annotated[int, Field(ge=0)] | None = None
    invent_rate: Rate = 0.0
    obey_attacker: bool = False


DEFAULT_STATUS = 503

"""The ingress as it is usually written, to compare ours with: FastAPI, an ORM session per request, arq.

Same body, same secret, the same promise on paper: a delivery and a job are committed, and the job is enqueued, before
the 202. Started by `python -m bench.ingress`; PLAIN_DATABASE_URL, PLAIN_REDIS_URL and PLAIN_SECRET come from it.
"""

from __future__ import annotations

import hmac
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated, Any

from arq import create_pool
from arq.connections import RedisSettings
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, ConfigDict, EmailStr
from pydantic.alias_generators import to_camel
from sqlalchemy import DateTime, ForeignKey, LargeBinary, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

engine = create_async_engine(os.environ["PLAIN_DATABASE_URL"], pool_size=20, max_overflow=44)
Session = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The tables."""


class Delivery(Base):
    """One webhook call."""

    __tablename__ = "plain_deliveries"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    source: Mapped[str] = mapped_column(String(50))
    delivery_key: Mapped[str] = mapped_column(String(100), unique=True)
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    parsed: Mapped[dict[str, Any]] = mapped_column(JSONB)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=lambda: datetime.now(UTC))


class Job(Base):
    """What is to be done about it."""

    __tablename__ = "plain_jobs"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    delivery_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plain_deliveries.id"), index=True)
    state: Mapped[str] = mapped_column(String(20), default="ready", index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=lambda: datetime.now(UTC))
    delivery: Mapped[Delivery] = relationship()


class LeadIn(BaseModel):
    """The body."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)

    email: EmailStr
    first_name: str | None = None
    last_name: str | None = None
    job_title: str | None = None
    company: str | None = None
    website: str | None = None
    country: str | None = None
    phone: str | None = None
    message: str | None = None


class Receipt(BaseModel):
    """The answer."""

    delivery_id: uuid.UUID
    job_id: uuid.UUID | None
    status: str
    duplicate: bool


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The tables, and the queue."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    app.state.queue = await create_pool(RedisSettings.from_dsn(os.environ["PLAIN_REDIS_URL"]))
    yield
    await app.state.queue.aclose()
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def session() -> AsyncIterator[AsyncSession]:
    """A session per request."""
    async with Session() as one:
        yield one


def authenticated(x_revenueflow_secret: Annotated[str, Header()] = "") -> None:
    """The shared secret."""
    if not hmac.compare_digest(x_revenueflow_secret.encode(), os.environ["PLAIN_SECRET"].encode()):
        raise HTTPException(401, "wrong secret")


@app.get("/livez")
async def livez() -> dict[str, str]:
    """Whether it runs."""
    return {"status": "ok"}


@app.post("/webhooks/marketo", status_code=202, dependencies=[Depends(authenticated)])
async def receive(lead: LeadIn, request: Request, db: Annotated[AsyncSession, Depends(session)]) -> Receipt:
    """Stores a delivery and its job, then enqueues the job."""
    raw = await request.body()
    delivery = Delivery(
        source="marketo", delivery_key=sha256(raw).hexdigest(), raw=raw, parsed=lead.model_dump(mode="json")
    )
    job = Job(delivery=delivery)
    db.add_all([delivery, job])
    try:
        await db.commit()
    except IntegrityError:
        await db.rollback()
        return Receipt(delivery_id=delivery.id, job_id=None, status="duplicate", duplicate=True)
    await request.app.state.queue.enqueue_job("process_lead", str(job.id))
    return Receipt(delivery_id=delivery.id, job_id=job.id, status="accepted", duplicate=False)

"""API keys, and the key from which identities are derived."""

from __future__ import annotations

import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from revenueflow.audit import keys as audit_keys
from revenueflow.audit import trail
from revenueflow.cli.run import asked, err, fail, out, show, who
from revenueflow.db import api_keys
from revenueflow.db.session import Database
from revenueflow.domain.outcome import AuditEntry

app = typer.Typer(help="API keys and secrets.", no_args_is_help=True)


class Role(StrEnum):
    """What a key may do."""

    INGEST = "ingest"
    READER = "reader"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    AGENT = "agent"
    ADMIN = "admin"


@app.command()
def create(
    role: Annotated[Role, typer.Option(help="What the key may do.")],
    name: Annotated[str, typer.Option(help="For whom it is; shown by `keys list`.")] = "",
) -> None:
    """Make an API key. It is printed once, and stored only as a hash.

    Example: revenueflow keys create --role ingest --name website
    """
    key = api_keys.new_key()

    async def add(database: Database) -> None:
        async with database.transaction() as session:
            key_id = await api_keys.add(session, key, role=role.value, name=name)
            entry = AuditEntry("key.created", "done", {"key_id": str(key_id), "role": role.value}, actor=who())
            await trail.append(session, trail.Subject(), [entry])

    asked(add)
    out.print(key, markup=False)


@app.command("list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="JSON Lines.")] = False) -> None:
    """List API keys, without the keys themselves."""

    async def read(database: Database) -> list[dict[str, object]]:
        async with database.transaction() as session:
            return await api_keys.list_all(session)

    show(asked(read), ["id", "prefix", "role", "name", "created_at", "revoked_at"], as_json=as_json)


@app.command()
def revoke(key_id: UUID) -> None:
    """End an API key. Every process obeys within five seconds."""

    async def end(database: Database) -> bool:
        async with database.transaction() as session:
            ended = await api_keys.revoke(session, key_id)
            if ended:
                entry = AuditEntry("key.revoked", "done", {"key_id": str(key_id)}, actor=who())
                await trail.append(session, trail.Subject(), [entry])
            return ended

    if not asked(end):
        fail("there is no key with this id that is still valid; see `revenueflow keys list`")
    err.print("revoked")


@app.command()
def identity(
    out_file: Annotated[Path, typer.Option("--out", help="The file to make; it must not exist.")],
) -> None:
    """Make the key from which identities are derived (REVENUEFLOW_IDENTITY_KEY_FILE). Back it up."""
    try:
        write_identity_key(out_file)
    except FileExistsError:
        fail("the file exists: a new key would make every known lead a stranger")
    except OSError as error:
        fail(f"the file can't be made: {error.strerror}")
    err.print(f"written: {out_file}; back it up", markup=False)


@app.command("audit")
def audit_key(
    out_file: Annotated[Path, typer.Option("--out", help="The file to make; it must not exist.")],
) -> None:
    """Make the key that signs audit checkpoints (REVENUEFLOW_AUDIT_KEY_FILE). Its public half goes into FILE.pub.

    To replace a key, move the old file away and keep FILE.pub: what the old key has signed is verified with it.
    """
    try:
        verifier = audit_keys.write(out_file)
    except FileExistsError:
        fail("the file exists; move it away first, and keep its .pub")
    except OSError as error:
        fail(f"the file can't be made: {error.strerror}")
    out.print(str(verifier), markup=False)
    err.print(f"written: {out_file} and {out_file}.pub; back them up", markup=False)


def write_identity_key(path: Path) -> None:
    """Writes a fresh key, readable by us alone. Raises FileExistsError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32) + "\n")

"""JSON Schemas of the files that people edit, for editors and reviews."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from revenueflow.cli.run import USAGE, err, fail


def schema(
    name: Annotated[
        str | None, typer.Argument(help="A file, such as enrichment.toml; without it all are listed.")
    ] = None,
    write: Annotated[Path | None, typer.Option(help="Write all of them into this folder.")] = None,
) -> None:
    """Print the JSON Schema of a file that people edit (REVENUEFLOW_CONFIG_DIR).

    Example: revenueflow schema enrichment.toml
    """
    from revenueflow.wiring.files import TABLES, json_schema

    if write:
        for each in TABLES:
            path = write / file_name(each)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pretty(json_schema(each)))
            err.print(f"wrote {path}", markup=False)
        return
    if name is None:
        typer.echo("\n".join(TABLES))
        return
    if name not in TABLES:
        fail(f"there is no such file; known are {', '.join(TABLES)}", USAGE)
    typer.echo(pretty(json_schema(name)), nl=False)


def file_name(table: str) -> str:
    """`enrichment.schema.json` for `enrichment.toml`."""
    return table.replace("/", ".").removesuffix(".toml") + ".schema.json"


def pretty(value: object) -> bytes:
    """JSON for people, the same each time."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)

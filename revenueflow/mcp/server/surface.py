"""What a client sees of a tool: its schemas, and what it may expect of it. Only the tools that its role may use."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import mcp_types as types

from revenueflow.mcp.policy import Policy
from revenueflow.mcp.tools import TOOLS, Tool

KEY: Final = "idempotency_key"
CLAIMS: Final = "claims"
DRY_RUN: Final = "dry_run"
RESERVED: Final[dict[str, Any]] = {
    KEY: {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "names this write: one effect, however often it is sent",
    },
    CLAIMS: {
        "type": "object",
        "additionalProperties": {"type": "string", "format": "uuid"},
        "description": "JSON Pointer of a grounded argument -> id of the supported claim that carries it",
    },
    DRY_RUN: {
        "type": "boolean",
        "default": False,
        "description": "check everything and say what would be written, field by field; writes nothing",
    },
}
"""What a call says besides a tool's own arguments."""


def offered(role: str, policy: Policy) -> list[types.Tool]:
    """The tools that this role may use, by name."""
    allowed = policy.roles.get(role, [])
    return [described(name) for name in sorted(TOOLS) if name in allowed and TOOLS[name].exposed]


@cache
def described(name: str) -> types.Tool:
    """A tool as clients see it."""
    tool = TOOLS[name]
    return types.Tool(
        name=name,
        title=name.replace("_", " ").capitalize(),
        description=tool.description,
        input_schema=input_schema(tool),
        output_schema=tool.result.model_json_schema(mode="serialization"),
        annotations=types.ToolAnnotations(
            read_only_hint=tool.hints.read_only,
            destructive_hint=tool.hints.destructive,
            idempotent_hint=tool.hints.idempotent,
            open_world_hint=tool.hints.open_world,
        ),
    )


def input_schema(tool: Tool) -> dict[str, Any]:
    """The JSON Schema of the tool's arguments; of one that writes with the key and the claims."""
    schema = tool.args.model_json_schema()
    if tool.hints.read_only:
        return schema
    properties = schema["properties"] | RESERVED
    return schema | {"properties": properties, "required": [*schema.get("required", []), KEY]}

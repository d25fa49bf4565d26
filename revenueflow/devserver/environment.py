"""What the processes of a development stack are told through their environment."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from revenueflow.devserver.secrets import Secrets

KEY = "sandbox"
AUDIT_KEY = "audit.key"
QUOTA = "CRM_REQUESTS_PER_MINUTE"
CHECKPOINTS = "checkpoints.jsonl"


def of_sandbox(urls: Mapping[str, str]) -> dict[str, str]:
    """Every upstream is the sandbox, whatever the caller's environment says. Only addresses and keys differ from
    production, and the CRM has no quota unless the caller's environment sets one.

    pipe0, Apollo, ZoomInfo, Vertex and Bedrock have addresses and no keys: they are asked only where somebody sets one.
    """
    return _upstreams(urls) | _sources(urls)


def _upstreams(urls: Mapping[str, str]) -> dict[str, str]:
    return {
        "CRM_PROVIDER": "http",
        "CRM_BASE_URL": urls["crm"],
        "CRM_TOKEN": KEY,
        "SALESFORCE_BASE_URL": urls["salesforce"],
        "SALESFORCE_CLIENT_ID": KEY,
        "SALESFORCE_CLIENT_SECRET": KEY,
        # It is ours, and has no quota; whoever looks at one sets it.
        QUOTA: os.environ.get(QUOTA) or "0",
        "ANALYSIS_PROVIDER": "gemini",
        "GEMINI_API_KEY": KEY,
        "GOOGLE_GEMINI_BASE_URL": urls["gemini"],
        "VERTEX_BASE_URL": urls["vertex"],
        "BEDROCK_BASE_URL": urls["bedrock"],
        "CLEARBIT_API_KEY": KEY,
        "CLEARBIT_BASE_URL": urls["clearbit"],
        "CLEARBIT_PERSON_BASE_URL": urls["clearbit"],
        "HUNTER_API_KEY": KEY,
        "HUNTER_BASE_URL": urls["hunter"],
        "PIPE0_BASE_URL": urls["pipe0"],
        "APOLLO_BASE_URL": urls["apollo"],
        "ZOOMINFO_BASE_URL": urls["zoominfo"],
        "ZOOMINFO_TOKEN_URL": f"{urls['zoominfo']}/oauth2/default/v1/token",
        "HUBSPOT_ACCESS_TOKEN": KEY,
        "HUBSPOT_BASE_URL": urls["hubspot"],
        "SLACK_BOT_TOKEN": KEY,
        "SLACK_BASE_URL": urls["slack"],
    }


def _sources(urls: Mapping[str, str]) -> dict[str, str]:
    return {
        "HUBSPOT_JOURNAL_CLIENT_ID": KEY,
        "HUBSPOT_JOURNAL_CLIENT_SECRET": KEY,
        # The journal's files come from the sandbox too.
        "REVENUEFLOW_OUTSIDE_ALLOW": urlsplit(urls["hubspot"]).netloc,
        "MARKETO_BASE_URL": urls["marketo"],
        "MARKETO_CLIENT_ID": KEY,
        "MARKETO_CLIENT_SECRET": KEY,
        "ATURIYA_BASE_URL": urls["aturiya"],
        "ATURIYA_TOKEN": KEY,
        "ATURIYA_USER_ID": KEY,
        "ATURIYA_AGENT_ID": KEY,
    }


def as_shell(env: Mapping[str, str]) -> str:
    """What differs from our own environment, as lines for a shell to read: `. .revenueflow/env`."""
    changed = {name: value for name, value in env.items() if os.environ.get(name) != value}
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(changed.items()))


def of_process(data_dir: Path, secrets: Secrets, backends: Mapping[str, str], api_url: str) -> dict[str, str]:
    """Ours, ready for `spawn`. What the caller's environment sets for upstreams stays; `of_sandbox` goes before it."""
    given = {
        **backends,
        "REVENUEFLOW_PUBLIC_URL": api_url,
        "REVENUEFLOW_IDENTITY_KEY_FILE": str(data_dir / "identity.key"),
        "REVENUEFLOW_AUDIT_KEY_FILE": str(data_dir / AUDIT_KEY),
        "REVENUEFLOW_CHECKPOINT_FILE": str(data_dir / CHECKPOINTS),
        "REVENUEFLOW_SPOOL_DIR": str(data_dir / "spool"),
        "MARKETO_WEBHOOK_SECRET": secrets.webhooks["marketo"],
        "HUBSPOT_CLIENT_SECRET": secrets.webhooks["hubspot"],
        "REVENUEFLOW_WEBHOOK_SECRET": secrets.webhooks["lead"],
        "PYTHONUNBUFFERED": "1",
    }
    return dict(os.environ) | given

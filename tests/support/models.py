"""Analysts of a house, and prompts for them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr

from revenueflow import defaults
from revenueflow.analysis import chain
from revenueflow.analysis.base import Analyst, Asker
from revenueflow.analysis.chain import Failure
from revenueflow.analysis.prompt import Prompt
from revenueflow.domain.claim import Analysis
from revenueflow.settings import AnalysisSettings, General
from tests.support.house import House
from tests.support.policy import unhurried

KEY = SecretStr("sandbox")
WAY = ("gemini", "vertex", "bedrock")


def on_sandbox(home: House, *names: str, timeout: float = 20) -> AnalysisSettings:
    """These analysts, in order, in the sandbox."""
    url = home.sandbox.urls
    return AnalysisSettings.model_validate(
        {
            "chain": names,
            "timeout": timeout,
            "api_key": KEY,
            "base_url": url["gemini"],
            "vertex_key": KEY,
            "vertex_url": url["vertex"],
            "aws_region": "eu-central-1",
            "bedrock_key": KEY,
            "bedrock_url": url["bedrock"],
        }
    )


def use(home: House, *names: str, timeout: float = 20) -> None:
    """From now on the house has these analysts."""
    home.settings = home.settings.model_copy(update={"analysis": on_sandbox(home, *names, timeout=timeout)})


def rules(home: House, folder: Path, **changes: object) -> None:
    """Other values in models.toml from now on, by the names of their keys; None: without."""
    text = defaults.text("models.toml")
    for name, value in changes.items():
        text, count = re.subn(rf"^{name} = .*\n", f"{name} = {value}\n" if value is not None else "", text, flags=re.M)
        assert count, name
    config = unhurried(folder / "models")
    (config / "models.toml").write_text(text, encoding="utf-8")
    home.settings = home.settings.model_copy(update={"general": General(config_dir=config)})


@asynccontextmanager
async def workers(home: House, count: int = 1) -> AsyncIterator[list[Sequence[Analyst]]]:
    """The chains of so many workers, as in processes of their own: nothing but Postgres and Redis is shared."""
    async with AsyncExitStack() as stack:
        yield [(await stack.enter_async_context(home.services())).analysts for _ in range(count)]


async def ask(
    analysts: Sequence[Analyst], prompt: Prompt, asker: Asker | None = None
) -> tuple[Analysis, tuple[Failure, ...]]:
    """One run of a lead of its own, unless `asker` names one."""
    return await chain.analyse(prompt, analysts, asker or Asker(uuid4(), uuid4()))

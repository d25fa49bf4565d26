"""Starting the sandbox from the command line."""

from __future__ import annotations

from pathlib import Path

from revenueflow.devserver.files import write_private_json
from revenueflow.errors import ConfigurationError
from revenueflow.sandbox.server import SandboxConfig, run


async def serve(
    seed: int, invent_rate: float, latency: bool, data_dir: Path | None, ports: str, ports_file: Path | None
) -> None:
    """Runs the sandbox until cancelled; `ports` is "upstream=port,…"."""
    config = SandboxConfig(ports=_ports(ports), seed=seed, latency=latency, invent_rate=invent_rate, data_dir=data_dir)

    def ready(urls: dict[str, str]) -> None:
        if ports_file:
            write_private_json(ports_file, urls)

    await run(config, ready)


def _ports(text: str) -> dict[str, int]:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    try:
        return {name.strip(): int(number) for name, _, number in pairs}
    except ValueError:
        raise ConfigurationError("--ports: must be upstream=port, separated by commas") from None

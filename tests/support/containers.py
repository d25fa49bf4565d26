"""PostgreSQL and Valkey in containers, from the images that production would use."""

from __future__ import annotations

import secrets

import docker
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from tests.support.servers import Source

POSTGRES_IMAGE = "pgvector/pgvector:pg18"
VALKEY_IMAGE = "valkey/valkey:9.1"


def docker_answers() -> bool:
    """Whether there is an engine: a client may be installed without one."""
    try:
        return bool(docker.from_env(timeout=2).ping())
    except DockerException:
        return False


class Containers(Source):
    """The images that production would use."""

    def start(self) -> tuple[str, str]:
        password = secrets.token_urlsafe(16)
        postgres = DockerContainer(POSTGRES_IMAGE).with_exposed_ports(5432).with_env("POSTGRES_PASSWORD", password)
        postgres.waiting_for(LogMessageWaitStrategy("database system is ready to accept connections", times=2))
        valkey = DockerContainer(VALKEY_IMAGE).with_exposed_ports(6379)
        valkey.with_command(f"valkey-server --requirepass {password} --maxmemory-policy noeviction --databases 64")
        valkey.waiting_for(LogMessageWaitStrategy("Ready to accept connections"))
        return (
            f"postgresql://postgres:{password}@{self._address(postgres, 5432)}/postgres",
            f"redis://:{password}@{self._address(valkey, 6379)}/0",
        )

    def _address(self, container: DockerContainer, port: int) -> str:
        self.undo.enter_context(container)
        return f"{container.get_container_host_ip()}:{container.get_exposed_port(port)}"

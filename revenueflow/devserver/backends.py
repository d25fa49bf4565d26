"""Postgres and Valkey for the stack: embedded, or those that DATABASE_URL and REDIS_URL name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from revenueflow.db.migrate import upgrade
from revenueflow.devserver import cluster
from revenueflow.devserver.postgres import Postgres
from revenueflow.devserver.server import EmbeddedServer, free_port
from revenueflow.devserver.services import Service
from revenueflow.devserver.valkey import Valkey
from revenueflow.errors import Unavailable
from revenueflow.settings import Group, PostgresUrl, RedisUrl, Settings, env

NAME = "revenueflow"


class GivenBackends(Group):
    """Servers that the operator names, in the environment or in `.env`, are used instead of embedded ones."""

    database_url: PostgresUrl | None = env("DATABASE_URL", None, about="a Postgres to use instead of the embedded one")
    migration_url: PostgresUrl | None = env("MIGRATION_DATABASE_URL", None, about="its owner role")
    redis_url: RedisUrl | None = env("REDIS_URL", None, about="a Redis to use instead of the embedded one")


class Backends:
    """What keeps data. `urls` is ready after `start`."""

    def __init__(self, data_dir: Path, services: dict[str, Service], say: Callable[[str], None]) -> None:
        self._data_dir = data_dir
        self._services = services
        self._say = say
        self._given = Settings.only(GivenBackends)
        self.urls: dict[str, str] = {}

    def start(self) -> None:
        """Starts what is not given, and brings the schema up to date."""
        self._start_postgres()
        self._start_valkey()

    def _start_postgres(self) -> None:
        if given := self._given.database_url:
            owner = self._given.migration_url or given
            try:
                upgrade(owner)
            except Unavailable as error:
                where = "MIGRATION_DATABASE_URL" if self._given.migration_url else "DATABASE_URL"
                raise Unavailable(
                    f"{where} is set, in the environment or in .env, and is used instead of the embedded Postgres:"
                    f" {error.detail}; unset DATABASE_URL and MIGRATION_DATABASE_URL to use the embedded one"
                ) from None
            self.urls |= {"DATABASE_URL": given, "MIGRATION_DATABASE_URL": owner}
            self._say("Postgres: the one that DATABASE_URL names, schema up to date")
            return
        server = self._embedded("postgres", Postgres)
        urls = cluster.provision(server.superuser_url, NAME)
        self.urls |= {
            "DATABASE_URL": urls.app_url,
            "MIGRATION_DATABASE_URL": urls.owner_url,
            "SEALER_DATABASE_URL": urls.sealer_url,
            "AUDITOR_DATABASE_URL": urls.auditor_url,
        }
        self._say("postgres is up, schema up to date")

    def _start_valkey(self) -> None:
        if given := self._given.redis_url:
            self.urls["REDIS_URL"] = given
            self._say("Redis: the one that REDIS_URL names")
            return
        self.urls["REDIS_URL"] = self._embedded("valkey", Valkey).url
        self._say("valkey is up")

    def _embedded(self, name: str, kind: type[Any]) -> Any:
        server = kind(self._data_dir, port=free_port())

        def start() -> EmbeddedServer:
            server.stop()  # lets go of what a server that died still holds
            started: EmbeddedServer = server.start()
            return started

        service = Service(name, start, lambda _: server.stop())
        self._services[name] = service
        service.up()
        return server

"""The errors of the embedded servers.

RevenueFlowError
└── DevServerError
    ├── BinaryNotFound    no usable PostgreSQL or Valkey on this machine (also a ConfigurationError)
    ├── DataDirUnusable   the data directory can't hold the server's data (also a ConfigurationError)
    ├── AlreadyRunning    another process uses this data directory
    ├── PortInUse         something else listens on the port
    └── StartFailed       the server ended, or did not answer in time; carries the end of its log
"""

from __future__ import annotations

from revenueflow.errors import ConfigurationError, RevenueFlowError


class DevServerError(RevenueFlowError):
    """An embedded server can't do what was asked."""

    code = "devserver"
    title = "Embedded server failed"


class BinaryNotFound(DevServerError, ConfigurationError):
    """No usable server program: the message lists where we looked and how to get one."""

    code = "devserver_binary_not_found"
    title = "Server program not found"


class DataDirUnusable(DevServerError, ConfigurationError):
    """The data directory can't be used as it is: wrong owner, or out of reach for the server's user."""

    code = "devserver_data_dir"
    title = "Data directory can't be used"


class AlreadyRunning(DevServerError):
    """A server runs on this data directory already: two on one directory would destroy it."""

    code = "devserver_already_running"
    title = "Already running"


class PortInUse(DevServerError):
    """Another process listens on the port."""

    code = "devserver_port_in_use"
    title = "Port in use"


class StartFailed(DevServerError):
    """The server ended, or did not answer within the deadline."""

    code = "devserver_start_failed"
    title = "Server did not start"

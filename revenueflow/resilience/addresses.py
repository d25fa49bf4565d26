"""Which addresses a URL from outside may lead to: public ones, and what the operator allows besides.

An address that only stands for another one (IPv4 in IPv6, 6to4, Teredo, NAT64) is refused whatever it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Self

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

USUAL_PORTS = frozenset({80, 443})
METADATA_NAMES = frozenset(
    {"metadata", "metadata.goog", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"}
)
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", re.IGNORECASE)
# Public by the registries, and yet not for us: a relay, and the host of Azure's virtual machines.
_NOT_PUBLIC = (ip_network("192.88.99.0/24"), ip_network("168.63.129.16/32"))
_UNICAST = ip_network("2000::/3")
# Protocol assignments (Teredo is one), documentation, 6to4.
_NOT_UNICAST = tuple(map(ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


def is_public(address: Address) -> bool:
    """Whether an address belongs to one host of the public Internet."""
    if isinstance(address, IPv6Address):
        return address in _UNICAST and not any(address in network for network in _NOT_UNICAST)
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    return not any(address in network for network in _NOT_PUBLIC)


def literal(host: str) -> Address | None:
    """The address that a URL's host is; None for a name. Raises ValueError for any other spelling of an address.

    `2130706433`, `0x7f.1`, `0177.0.0.1` and `127.1` are addresses to some resolvers: a host whose last part is a
    number has the four decimal parts of an IPv4 address, or it is refused.
    """
    if ":" in host:
        return ip_address(host)
    if _NUMERIC.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return IPv4Address(host)
    if not _NAME.fullmatch(host):
        raise ValueError("neither a name nor an address")
    return None


@dataclass(frozen=True, slots=True)
class Allowed:
    """What is allowed besides public addresses at the usual ports.

    `endpoints`: (host as written in the URL, port), wherever the name leads. `networks`: addresses, at usual ports.
    """

    endpoints: frozenset[tuple[str, int]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Self:
        """From `host:port` and CIDR, as REVENUEFLOW_OUTSIDE_ALLOW has them. Raises ValueError."""
        endpoints: set[tuple[str, int]] = set()
        networks: list[Network] = []
        for entry in entries:
            try:
                networks.append(ip_network(entry, strict=False))
            except ValueError:
                host, _, port = entry.rpartition(":")
                endpoints.add((host.strip("[]").lower(), int(port)))
        return cls(frozenset(endpoints), tuple(networks))

    def endpoint(self, host: str, port: int) -> bool:
        """Whether this very host and port were allowed."""
        return (host, port) in self.endpoints

    def address(self, address: Address) -> bool:
        """Whether one may connect to an address."""
        return is_public(address) or any(address in network for network in self.networks)

"""Faults of the network between the parts. All links go through proxies; the seed decides which of them suffer."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit, urlunsplit

from revenueflow.devserver import environment
from tests.faults.rows import Run, _judged
from tests.faults.system import System
from tests.faults.traffic import sending
from tests.support.processes import until
from tests.support.proxy import Proxy

LINKS = {
    "api": ("DATABASE_URL", "REDIS_URL"),
    "relay": ("DATABASE_URL", "REDIS_URL"),
    "worker": ("DATABASE_URL", "REDIS_URL", "CRM_BASE_URL", "GOOGLE_GEMINI_BASE_URL", "CLEARBIT_BASE_URL"),
}
"""What each process talks to, by the variable that says where it is."""
IMPATIENT = {"REVENUEFLOW_DATABASE_TIMEOUT": "2"}
SECONDS = 2.0
"""How long a fault lasts, more or less; nothing is waited for."""


@contextmanager
def proxied(system: System) -> Iterator[list[Proxy]]:
    """Every process is started anew behind proxies, and without them at the end."""
    given = {**system.backends.urls, **environment.of_sandbox(system.sandbox_urls)}
    with ExitStack() as stack:
        links = {
            process: {name: stack.enter_context(_proxy(given[name])) for name in names}
            for process, names in LINKS.items()
        }
        for process, proxies in links.items():
            through = {name: _through(given[name], proxy.port) for name, proxy in proxies.items()}
            system.restart(process, **through, **IMPATIENT)
        yield [proxy for proxies in links.values() for proxy in proxies.values()]
    for process in LINKS:
        system.restart(process)


def _proxy(url: str) -> Proxy:
    parts = urlsplit(url)
    return Proxy(parts.hostname or "", parts.port or 0)


def _through(url: str, port: int) -> str:
    parts = urlsplit(url)
    credentials, at, _ = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{credentials}{at}127.0.0.1:{port}"))


Strike = Callable[[Sequence[Proxy], random.Random], None]


def suffers(system: System, seed: int, name: str, strike: Strike) -> Run:
    """Sends while `strike` does its worst to some of the links that are in use, or to all."""
    dice = random.Random(f"{name}{seed}")
    with proxied(system) as links:
        with sending(
            system,
            f"net-{strike.__name__.strip('_').replace('_', '-')}.{seed}",
            count=400,
            seed=seed,
            at_once=6,
            pause=0.05,
        ) as sent:
            until(lambda: len(sent.acks) + sent.refused > 5)
            used = [link for link in links if link.connections]
            strike(dice.sample(used, min(len(used), dice.choice((1, 2, len(used))))), dice)
            since = time.monotonic()
            until(lambda: len(sent.acks) > 30)
        return _judged("2", f"the network {name}", seed, system, sent, since)


def _slows_down(links: Sequence[Proxy], dice: random.Random) -> None:
    for link in links:
        link.delay = dice.uniform(0.02, 0.4)
    time.sleep(SECONDS)
    for link in links:
        link.delay = 0.0


def _stalls(links: Sequence[Proxy], dice: random.Random) -> None:
    for link in links:
        link.stall()
    time.sleep(dice.uniform(0.5, 2 * SECONDS))
    for link in links:
        link.flow()


def _resets(links: Sequence[Proxy], dice: random.Random) -> None:
    _again_and_again(links, dice, Proxy.reset)


def _half_closes(links: Sequence[Proxy], dice: random.Random) -> None:
    _again_and_again(links, dice, Proxy.half_close)


def _again_and_again(links: Sequence[Proxy], dice: random.Random, strike: Callable[[Proxy], int]) -> None:
    end, struck = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        struck += sum(strike(link) for link in links)
        time.sleep(dice.uniform(0.02, 0.4))
    assert struck, "there was no connection to break"


def _cuts_answers(links: Sequence[Proxy], dice: random.Random) -> None:
    for link in links:
        link.cut_after = dice.randint(1, 4000)
    time.sleep(SECONDS)
    for link in links:
        link.cut_after = None


STRIKES: dict[str, Strike] = {
    "slows down": _slows_down,
    "stalls, and delivers late": _stalls,
    "resets connections": _resets,
    "half-closes connections": _half_closes,
    "cuts answers in the middle": _cuts_answers,
}


def _fault(name: str, strike: Strike) -> Callable[[System, int], Run]:
    return lambda system, seed: suffers(system, seed, name, strike)


FAULTS = {f"network_{strike.__name__.strip('_')}": _fault(name, strike) for name, strike in STRIKES.items()}

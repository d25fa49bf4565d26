"""The rows of the fault list, each as a function of a running system and a seed; it returns what was measured."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from arq.constants import job_key_prefix

from revenueflow.queue.doorbell import QUEUE
from revenueflow.resilience.crash import POINTS
from tests.faults.oracle import judge
from tests.faults.system import System
from tests.faults.traffic import Sent, send, sending
from tests.support.processes import until
from tests.support.proxy import Proxy

PROCESS_OF = {"ingress": "api", "spool": "api", "drain": "api", "relay": "relay"}
"""Which process passes the crash points of a kind; the others are a worker's."""
SENT_AGAIN = ("action.before_send", "action.after_send")
"""Passed by a write that the CRM refused for the moment, and by no other."""
MOST_PASSES = {"checkpoint": 9, "action": 9, "drain": 1}
"""The seed decides at which of the first passes the process dies; a drain may be one chunk only."""


@dataclass(frozen=True, slots=True)
class Run:
    """One fault: what it did, and how long it took from its end until everything was settled."""

    row: str
    fault: str
    seed: int
    leads: int
    lost: int
    doubled: int
    unknown: int
    recovery: float
    ack_p99: float
    refused: int


def _judged(row: str, fault: str, seed: int, system: System, sent: Sent, since: float, *, dead: int = 0) -> Run:
    found = judge(system, sent, dead=dead)
    recovery = max(0.0, found.settled_at - since)
    return Run(
        row, fault, seed, found.leads, found.lost, found.doubled, found.unknown, recovery, sent.p99(), sent.refused
    )


def crash(system: System, point: str, seed: int) -> Run:
    """Rows 1, 7, 8 and the spool: a process dies at a crash point, at a time that the seed decides."""
    kind = point.partition(".")[0]
    process = PROCESS_OF.get(kind, "worker")
    times = random.Random(f"{point}{seed}").randint(1, MOST_PASSES.get(kind, 2))
    tag = f"{point.replace('.', '-').replace('_', '-')}.{seed}"
    system.arm(process, f"{point}:{times}")
    with sending(system, tag, count=400, seed=seed, at_once=4, pause=0.15) as sent:
        until(lambda: len(sent.acks) + sent.refused > 5)
        died_at = _let_it_reach(system, point, process)
    return _judged(_row_of(point), point, seed, system, sent, died_at)


def _let_it_reach(system: System, point: str, process: str) -> float:
    """Makes circumstances in which the process passes the point at all; when it died of that."""
    kind = point.partition(".")[0]
    if kind == "spool":
        with system.holding("postgres"):
            return system.await_death(process)
    if kind == "drain":
        with system.holding("postgres"):
            time.sleep(0.7)
        return system.await_death(process)
    refused = kind == "release" or point in SENT_AGAIN
    if refused:
        system.faults("crm", latency_ms=0, error_rate=0.3, status=429)
    try:
        return system.await_death(process)
    finally:
        if refused:
            system.faults("crm", latency_ms=0)


def _row_of(point: str) -> str:
    kind = point.partition(".")[0]
    return {"ingress": "1", "spool": "3", "drain": "3", "relay": "7", "action": "12"}.get(kind, "8")


def commit_answer_lost(system: System, seed: int) -> Run:
    """Row 2: the ingress write reaches Postgres, its answer is lost."""
    target = urlsplit(system.backends.urls["DATABASE_URL"])
    with Proxy(target.hostname or "", target.port or 0) as proxy:
        through = system.backends.urls["DATABASE_URL"].replace(f":{target.port}/", f":{proxy.port}/")
        system.restart("api", DATABASE_URL=through)
        first = send(system, f"lost-warm.{seed}", count=3, seed=seed)
        proxy.lose_answer_after = f"lost.{seed}.".encode()
        sent = send(system, f"lost.{seed}", count=10, seed=seed)
        since = time.monotonic()
        assert proxy.lose_answer_after is None
        assert "spooled" in {ack.status for ack in sent.acks}
        sent.acks += first.acks
        run = _judged("2", "the answer to the ingress commit is lost", seed, system, sent, since)
    system.restart("api")
    return run


def postgres_restarts(system: System, seed: int) -> Run:
    """Row 3: an immediate restart under load."""
    with sending(system, f"pg-restart.{seed}", seed=seed, pause=0.08) as sent:
        until(lambda: len(sent.acks) > 30)
        system.kill("postgres", signal.SIGQUIT)
        since = system.await_death("postgres")
        count = len(sent.acks)
        until(lambda: len(sent.acks) > count + 50)
    return _judged("3", "Postgres restarts at once", seed, system, sent, since)


def postgres_is_stopped(system: System, seed: int, seconds: float = 3.0) -> Run:
    """Row 3: away for a while; ACKs go on."""
    with sending(system, f"pg-stopped.{seed}", seed=seed, pause=0.04) as sent:
        until(lambda: len(sent.acks) > 50)
        with system.holding("postgres"):
            time.sleep(seconds)
            assert "spooled" in {ack.status for ack in sent.acks}
        since = time.monotonic()
    return _judged("3", f"Postgres is stopped for {seconds:g} s", seed, system, sent, since)


def postgres_hangs(system: System, seed: int, seconds: float = 3.0) -> Run:
    """Row 3: the server and all its children are stopped as by SIGSTOP."""
    with sending(system, f"pg-hangs.{seed}", seed=seed, pause=0.04) as sent:
        until(lambda: len(sent.acks) > 50)
        frozen = system.freeze("postgres")
        time.sleep(seconds)
        system.thaw(frozen)
        since = time.monotonic()
        assert "spooled" in {ack.status for ack in sent.acks}
    return _judged("3", f"Postgres hangs for {seconds:g} s", seed, system, sent, since)


def redis_is_emptied(system: System, seed: int) -> Run:
    """Row 6: everything in Redis is gone in the middle of the work."""
    with sending(system, f"flush.{seed}", seed=seed, pause=0.04) as sent:
        for _ in range(5):
            time.sleep(0.1)
            with system.redis as client:
                client.flushall()
        since = time.monotonic()
    return _judged("6", "FLUSHALL, five times", seed, system, sent, since)


def redis_is_away(system: System, seed: int, seconds: float = 4.0) -> Run:
    """Row 6: stopped for longer than workers wait before they claim from Postgres; its data is deleted."""
    with system.holding("valkey"):
        for file in (system.data_dir / "valkey" / "data").rglob("*"):
            if file.is_file():
                file.unlink()
        since = time.monotonic()
        sent = send(system, f"no-redis.{seed}", count=20, seed=seed)
        time.sleep(seconds)
        return _judged("6", "Redis is down and its data deleted: claimed directly", seed, system, sent, since)


def redis_hangs(system: System, seed: int, seconds: float = 3.0) -> Run:
    """Row 6: stopped as by SIGSTOP."""
    frozen = system.freeze("valkey")
    sent = send(system, f"hung-redis.{seed}", count=20, seed=seed)
    time.sleep(seconds)
    system.thaw(frozen)
    return _judged("6", f"Redis hangs for {seconds:g} s", seed, system, sent, time.monotonic())


def redis_is_full(system: System, seed: int) -> Run:
    """Row 6: out of memory, it refuses every write."""
    with system.redis as client:
        client.config_set("maxmemory", 1)
        try:
            sent = send(system, f"full-redis.{seed}", count=20, seed=seed)
            since = time.monotonic()
            run = _judged("6", "Redis is out of memory", seed, system, sent, since)
        finally:
            client.config_set("maxmemory", 0)
    return run


def redis_comes_back_older(system: System, seed: int) -> Run:
    """Row 6: what Redis held a while ago is there again."""
    with system.redis as client:
        sent = send(system, f"older.{seed}", count=10, seed=seed)
        old = {key: client.dump(key) for key in client.scan_iter()}
        until(lambda: client.zcard(QUEUE) == 0)
        for key, value in old.items():
            if value is not None:
                client.restore(key, 0, value, replace=True)
    more = send(system, f"older-more.{seed}", count=10, seed=seed)
    sent.acks += more.acks
    return _judged("6", "Redis has older data", seed, system, sent, time.monotonic())


def three_relays(system: System, seed: int) -> Run:
    """Row 7: each job is rung for by one of three, and one of them dies."""
    for name in ("relay2", "relay3"):
        system.add(name)
    with sending(system, f"relays.{seed}", count=100, seed=seed) as sent:
        time.sleep(0.3)
        system.kill("relay2")
        since = system.await_death("relay2")
    run = _judged("7", "three relays, one is killed", seed, system, sent, since)
    for name in ("relay2", "relay3"):
        system.remove(name)
    return run


def worker_is_killed(system: System, seed: int) -> Run:
    """Row 8: kill -9 at any moment."""
    pause = random.Random(seed).uniform(0.05, 0.8)
    with sending(system, f"killed.{seed}", count=100, seed=seed) as sent:
        time.sleep(pause)
        system.kill("worker")
        since = system.await_death("worker")
    return _judged("8", "a worker is killed", seed, system, sent, since)


def zombie(system: System, seed: int) -> Run:
    """Row 9: a worker is frozen for longer than its lease, another takes over, then it goes on."""
    system.faults("gemini", latency_ms=300)
    system.add("worker2")
    with sending(system, f"zombie.{seed}", count=60, seed=seed) as sent:
        time.sleep(0.4)
        frozen = system.freeze("worker")
        time.sleep(3.0)
        system.thaw(frozen)
        since = time.monotonic()
    system.faults("gemini", latency_ms=0)
    run = _judged("9", "a worker is frozen for longer than its lease", seed, system, sent, since)
    system.remove("worker2")
    return run


def asked_to_end(system: System, seed: int) -> Run:
    """Row 10: SIGTERM in the middle of calls to the CRM."""
    system.faults("crm", latency_ms=300)
    with sending(system, f"sigterm.{seed}", count=60, seed=seed) as sent:
        time.sleep(0.5)
        system.kill("worker", signal.SIGTERM)
        since = system.await_death("worker", seconds=15)
    system.faults("crm", latency_ms=0)
    return _judged("10", "SIGTERM in the middle of CRM calls", seed, system, sent, since)


def poison(system: System, seed: int) -> Run:
    """Row 11: a job that kills its worker at every claim is dead after five; then the others go on."""
    system.always["worker"] = {"REVENUEFLOW_CRASH_AT": "claim.after_commit:1"}
    system.restart("worker")
    begun = time.monotonic()
    sick = send(system, f"poison.{seed}", count=1, seed=0)
    until(lambda: _dead(system, sick), seconds=120)
    system.always.pop("worker")
    (job,) = system.rows("SELECT attempt, error_class FROM jobs WHERE state = 'dead' AND lead_id = ANY($1::uuid[])",
                         sorted(sick.leads))  # fmt: skip
    assert (job["attempt"], job["error_class"]) == (5, "lease_expired")
    until(lambda: system.services["worker"].running is not None and system.services["worker"].running.poll() is None)
    well = send(system, f"well.{seed}", count=10, seed=seed)
    well.acks += sick.acks
    return _judged("11", "a poison job", seed, system, well, begun, dead=1)


def _dead(system: System, sent: Sent) -> bool:
    return bool(
        system.rows("SELECT 1 FROM jobs WHERE state = 'dead' AND lead_id = ANY($1::uuid[])", sorted(sent.leads))
    )


def crm_loses_answers(system: System, seed: int) -> Run:
    """Row 12: it commits, and the answer is lost; its index lags; it fails before and after."""
    system.faults("crm", latency_ms=0, lose_answer_rate=0.3, error_rate=0.2, status=503, lag_ms=200)
    sent = send(system, f"lossy.{seed}", count=40, seed=seed)
    time.sleep(1.0)
    system.faults("crm", latency_ms=0)
    return _judged("12", "the CRM loses answers, fails and lags", seed, system, sent, time.monotonic())


def clocks_are_wrong(system: System, seed: int) -> Run:
    """Row 15: one worker is ten minutes ahead, the other behind; nobody takes a job before its lease has run out."""
    shim = system.data_dir / "clock.so"
    compiler = shutil.which("cc")
    if compiler is None:
        raise OSError("there is no C compiler to build the clock's shim with")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, Path(__file__).with_name("clock.c"), "-ldl"], check=True)
    system.always["worker2"] = {"LD_PRELOAD": str(shim), "CLOCK_OFFSET": "-600"}
    system.add("worker2")
    system.restart("worker", LD_PRELOAD=str(shim), CLOCK_OFFSET="600")
    system.faults("gemini", latency_ms=500)
    sent = send(system, f"clocks.{seed}", count=40, seed=seed)
    run = _judged("15", "workers' clocks are 10 min ahead and behind", seed, system, sent, time.monotonic())
    system.faults("gemini", latency_ms=0)
    query = "SELECT max(lease_token) AS claims FROM jobs WHERE lead_id = ANY($1::uuid[])"
    assert system.rows(query, sorted(sent.leads))[0]["claims"] == 1, "a job was taken over before its lease had run out"
    system.remove("worker2")
    system.restart("worker")
    return run


def rubbish_in_redis(system: System, seed: int) -> Run:
    """Row 22: pickles and garbage among the rings."""
    marker = system.data_dir / f"executed-{seed}"
    dice = random.Random(seed)
    with sending(system, f"rubbish.{seed}", count=100, seed=seed) as sent, system.redis as client:
        for n in range(50):
            content = pickle.dumps(_Exploit(str(marker))) if n % 2 else dice.randbytes(40)
            client.set(f"{job_key_prefix}bad{seed}-{n}", content)
            client.zadd(QUEUE, {f"bad{seed}-{n}": dice.randint(0, 2**40)})
        since = time.monotonic()
    run = _judged("22", "pickles and garbage in Redis", seed, system, sent, since)
    assert not marker.exists()
    return run


class _Exploit:
    """Runs a command in whoever unpickles it."""

    def __init__(self, marker: str) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self._marker}",)


FAULTS: dict[str, Callable[[System, int], Run]] = {
    one.__name__: one
    for one in (
        commit_answer_lost, postgres_restarts, postgres_is_stopped, postgres_hangs, redis_is_emptied, redis_is_away,
        redis_hangs, redis_is_full, redis_comes_back_older, three_relays, worker_is_killed, zombie, asked_to_end,
        poison, crm_loses_answers, clocks_are_wrong, rubbish_in_redis,
    )
}  # fmt: skip
CRASHES = tuple(POINTS)

"""A script, not a module to import: what happens between the fork and the exec of a child.

It runs in a fresh interpreter (`python -I -S launcher.py PLAN`), so the parent, which may have many threads,
does nothing after its fork but exec. PLAN is a JSON object:

    argv     the program (absolute path) and its arguments
    parent   pid of the process whose death the child must not survive
    signal   number of the signal that ends the child then
    uid, gid to change to before the exec, or null
    pipe     null: the kernel delivers the signal (Linux). A descriptor: a watcher process reads it and
             delivers the signal at end of file, when the parent, which alone holds the other end, is gone
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
WATCH_SECONDS = 1.0
GRACE_SECONDS = 10.0


def main() -> None:
    """Become the program of the plan. Never returns."""
    plan = json.loads(sys.argv[1])
    reset_signals()
    libc = ctypes.CDLL(None, use_errno=True) if plan["pipe"] is None else None
    drop_privileges(plan["uid"], plan["gid"])
    # The kernel forgets the death signal when the user changes, so this comes after it.
    if libc is not None:
        die_with_parent(libc, plan["parent"], plan["signal"])
    else:
        start_watcher(plan["pipe"], plan["signal"])
    os.execv(plan["argv"][0], plan["argv"])  # noqa: S606 no shell is the point


def reset_signals() -> None:
    """A shell that starts us in the background has SIGINT ignored, and a child would inherit that."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def drop_privileges(uid: int | None, gid: int | None) -> None:
    if uid is None or gid is None:
        return
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with_parent(libc: ctypes.CDLL, parent: int, death_signal: int) -> None:
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent:
        sys.exit("the parent died before its child was set up")


def start_watcher(pipe: int, death_signal: int) -> None:
    """Fork twice: the watcher is not the program's child, which would meet a child it did not start."""
    program = os.getpid()
    middle = os.fork()
    if middle != 0:
        os.close(pipe)
        os.waitpid(middle, 0)
        return
    if os.fork() != 0:
        os._exit(0)
    os.setsid()
    # Not holding anything else: a lock or a log that the program was given ends with the program.
    os.dup2(pipe, 0)
    os.closerange(1, 4096)
    watch(program, death_signal)
    os._exit(0)


def watch(program: int, death_signal: int) -> None:
    """Until the parent says that the program is over (a byte), or is gone itself (end of file)."""
    while alive(program):
        readable, _, _ = select.select([0], [], [], WATCH_SECONDS)
        if readable:
            if os.read(0, 1) == b"":
                end(program, death_signal)
            return


def end(program: int, death_signal: int) -> None:
    deadline = time.monotonic() + GRACE_SECONDS
    os.kill(program, death_signal)
    while alive(program) and time.monotonic() < deadline:
        time.sleep(0.05)
    if alive(program):
        os.kill(program, signal.SIGKILL)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()

"""What the garbage collector need not look at again and again."""

from __future__ import annotations

import gc

YOUNG = 10_000
"""Objects after which the young ones are looked through; the default of 700 is reached within four requests."""


def begin() -> None:
    """Call it when a process begins: what it loads is no garbage, and to look for some takes a sixth of its start."""
    gc.set_threshold(YOUNG, 20, 20)


def settle() -> None:
    """Call it when a process is warm: what lives now lives for ever.

    A full collection over the warm heap would pause requests for tens of milliseconds, and cost more than a lead.
    """
    gc.collect()
    gc.freeze()
    begin()

"""The words that bind a place, a day or a name to one event, and where a record would say so."""

from __future__ import annotations

from revenueflow.domain.base import Value


class Binding(Value):
    """Words that bind what follows them, and the beginnings of the words of keys under which that may stand.

    `objects`: names right before and after the words are bound, too; `reverse` begin words of keys that say of the
    one before it what the words say of the one after it.
    """

    says: tuple[str, ...]
    keys: tuple[str, ...]
    objects: bool = False
    reverse: tuple[str, ...] = ()

"""A marked person, and a search for its marks in whatever we store."""

from __future__ import annotations

import re
from collections.abc import Iterator

import redis

from tests.support.house import KNOWN, House

EMAIL = f"zyxcanary.vonmarker@{KNOWN}"
NAME = "Zyxcanary Vonmarker"
PHONE = "+49 1512 9988776"
LINKEDIN = "https://www.linkedin.com/in/zyxcanary-vonmarker-77"
MESSAGE = (
    f"Hi, {NAME} here, or Zyxcanary for short. Mail me at {EMAIL.upper()} or zyxcanary@private.example, or call "
    "+49 (1512) 998-8776 / 0049 1512 9988776. We want a demo and pricing for 40 seats this quarter."
)
MARKS = re.compile(r"zyxcanary|vonmarker|1512\D{0,3}998|9988776", re.IGNORECASE)
PERSON = {"email": EMAIL, "first_name": "Zyxcanary", "last_name": "Vonmarker", "phone": PHONE, "message": MESSAGE,
          "linkedinUrl": LINKEDIN}  # fmt: skip
_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"


def tables(home: House) -> list[str]:
    """Every table that there is."""
    return [row["relname"] for row in home.rows(_TABLES)]


def marked(home: House) -> Iterator[str]:
    """The tables that hold a mark, with what is around it. Bytes are read as text."""
    for table in tables(home):
        found = MARKS.search(str(home.rows(f"SELECT * FROM {table}")))
        if found:
            yield f"{table}: …{found.string[max(0, found.start() - 60) : found.end() + 20]}…"


def in_redis(url: str) -> str:
    """All that Redis holds."""
    with redis.Redis.from_url(url) as client:
        return b"".join(client.dump(key) or b"" for key in client.scan_iter()).decode("latin-1")

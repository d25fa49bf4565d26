"""Labelled texts with personal data: written cases, put together from sentences and values. Nobody in them exists.

`python -m tests.support.personal_data` writes tests/data/pii.jsonl, in the form that `revenueflow eval pii` reads. In a
sentence `{phone}` stands for a value of that type; `{!…}` for something that looks like one and is none.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson

FILE: Final = Path(__file__).parents[1] / "data" / "pii.jsonl"
SEED: Final = 20261121
ROUNDS: Final = 6
VALUES: Final[dict[str, tuple[str, ...]]] = {
    "email": (
        "dana.reyes@larkvale.example", "o'neil+news@sub.mail.example", "jörg@größe.example", "ANNA_K@X-Y.EXAMPLE",
        "info@münchen.example", "a.b (at) larkvale (dot) example", "b-2@mail.example.org", "t%x@host.example",
    ),
    "phone": (
        "+1 512 555 0143", "(512) 555-0188", "512-555-0107", "+44 20 7946 0958", "020 7946 0018", "+49 30 5550 1234",
        "0049 30 23125-014", "+33 1 99 00 12 34", "01 99 00 55 66", "+34 699 956 915", "+81 3-5550-1212",
        "+55 11 95550-1234", "+91 98765 43210", "+61 (0)2 5550 1234", "0171.2345678", "+1-512-555-0199",
        "+390612345678", "+971 4 555 0123", "+86 138 1234 5678", "+31 6 12345678", "044 668 18 00", "+46-8-5550 1212",
    ),
    "card": (
        "4111 1111 1111 1111", "5555555555554444", "378282246310005", "6011-1111-1111-1117", "3530111333300000",
        "30569309025904", "4222222222222", "2223 0031 2200 3222", "6304 0000 0000 0000",
    ),
    "iban": (
        "GB29 NWBK 6016 1331 9268 19", "DE89370400440532013000", "FR14 2004 1010 0505 0001 3M02 606",
        "nl91abna0417164300", "ES91 2100 0418 4502 0005 1332", "CH93-0076-2011-6238-5295-7", "NO9386011117947",
    ),
    "national_id": (
        "078-05-1120", "219-09-9999", "AB 12 34 56 C", "QQ123456C".replace("QQ", "AA"), "12345678Z", "X1234567L",
        "111.444.777-35", "RSSMRA85T10A562S", "2 55 08 14 168 025 38", "811228-9874", "11010519491231002X",
        "ABCPE1234F",
    ),
    "document": ("C01X00T47", "L8988901C3", "D1234567", "S123-4567-8901", "533380006"),
    "ip": ("203.0.113.77", "198.51.100.4", "2001:db8:85a3::8a2e:370:7334", "2001:db8::1", "192.0.2.235"),
    "credentials": ("admin:hunter22", "svc:p%40ss-w0rd", "reader:Xy7_4t"),
    "secret": (
        "AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "xoxb-123456789012-abcdefABCDEF", "sk_live_" + "4eC39HqLyjWDarjt",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
        "AIza" + "Sy3_-x" * 5 + "abcde",
        "glpat-" + "x7Yz" * 5, "rf_" + "Ab3-" * 10 + "xyz", "sk-" + "proj4T9x" * 4,
    ),
    "password": ("hunter2!", "Tr0ub4dor&3", "xK9#mm2pQ", "S3cr3t-Value"),
    "person": ("Irina Volkova", "Jan van den Berg", "Zoë Größe", "Maria da Silva", "Wei Zhang"),
    "address": ("14 Crown Street, Leeds", "1987 Redbud Drive Apt. 864", "Lindenallee 6, 45127 Essen",
    "704 1436 Igias Road"),
}  # fmt: skip
NOTHING: Final[tuple[str, ...]] = (
    "We have 12,500 people in 14 countries and 1 200 000 users.",
    "Founded 2009, sold in 2019-2024, reopened 2026-11-21.",
    "Between 10000-50000 employees, revenue € 1,200,000.00.", "Version 3.14.159 of 10.4.2.1 is out.",
    "Order 20261121-0034 and invoice 4711081500 are paid.", "Build 1.2.3.4.5, ratio 0.001234, 99.95 % uptime.",
    "Our job is 0198a7c2-1234-7abc-8def-0123456789ab since 2026-11-21T17:32:54.863651Z.", "NAICS 541511, SIC 7371.",
    "Ticket 123456789 is open; the part number is 98-7654-32.", "The zip code is 90010-1701, or 3610-114.",
    "Meet at 10:30-11:45 in room 4.12.", "A basic functionality of the token is that it ends.", "Call us back soon!",
    "The password is required. The secret of success is patience.", "Card games and phone calls cost 40 a seat.",
    "Postgres 18.4 at port 5432 on 127.0.0.1 with 16 GB.", "It grew by 300 % from $10M-$50M.",
    "Ask at 12/24/2026 10:00.",
)  # fmt: skip
SENTENCES: Final[tuple[str, ...]] = (
    "Write to {email}, please.", "mailto:{email}?subject=x", "{email};{email}",
    "My e-mail is {email} and my phone {phone}",
    "Please call {phone} tomorrow.", "Tel.: {phone}", "Reach me at {phone} or {email}.", "Mobil {phone} (nach 18 Uhr)",
    "Phone:\n{phone}\n\nE-mail:\n{email}\n", "I did not get the text message on {phone}.", "fax {phone}, thanks",
    "Is {phone} still right?", "Ruf mich an: {phone}.", "My card {card} expires.",
    "Charge it to {card}, not to {card}.",
    "card no {card}", "what is the limit of {card}?", "My IBAN is {iban}", "Pay to {iban}, please.", "Konto: {iban}.",
    "Her social security number is {national_id}.", "ID {national_id} was checked.", "SSN: {national_id}",
    "({national_id})",
    "My passport number is {document}.", "The driver's license number is {document}", "National ID: {document}, valid.",
    "The request came from {ip}.", "{ip} was blocked", "from {ip} port 443", "see https://{credentials}@git.example/x",
    "postgresql://{credentials}@db.example:5432/app", "key {secret} leaked", "Authorization: Bearer {secret}",
    '{{"token":"{secret}"}}', "password: {password}", "PASSWORD={password}", "client_secret = '{password}'",
    "I am {person} from {address}.", "Best regards,\n{person}", "{person} asked for {phone}.",
    "My name is {person}, {email}.",
    "Ship it to {address}.", "{person} lives at {address}.", "Ask Dr. {person} about it.",
)  # fmt: skip
TYPES: Final = {
    "email": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "card": "CREDIT_CARD", "iban": "IBAN_CODE",
    "national_id": "NATIONAL_ID",
    "document": "PASSPORT", "ip": "IP_ADDRESS", "credentials": "URL_CREDENTIALS",
    "secret": "SECRET", "password": "PASSWORD",
    "person": "PERSON", "address": "STREET_ADDRESS",
}  # fmt: skip
_SLOT: Final = re.compile(r"\{(\w+)\}")


def rows() -> Iterator[dict[str, Any]]:
    """The lines of the file, always the same ones."""
    pick = random.Random(SEED)
    decks: dict[str, list[str]] = {name: [] for name in VALUES}
    for sentence in SENTENCES * ROUNDS:
        yield _filled(sentence, decks, pick)
    for text in NOTHING:
        yield {"full_text": text, "spans": []}


def _filled(sentence: str, decks: dict[str, list[str]], pick: random.Random) -> dict[str, Any]:
    text, labels, place = "", [], 0
    for slot in _SLOT.finditer(sentence):
        text += sentence[place : slot.start()].replace("{{", "{").replace("}}", "}")
        value = _drawn(slot[1], decks, pick)
        labels.append(
            {"entity_type": TYPES[slot[1]], "start_position": len(text), "end_position": len(text) + len(value)}
        )
        text, place = text + value, slot.end()
    return {"full_text": text + sentence[place:].replace("{{", "{").replace("}}", "}"), "spans": labels}


def _drawn(name: str, decks: dict[str, list[str]], pick: random.Random) -> str:
    """Each value is drawn once before any is drawn again."""
    if not decks[name]:
        decks[name] = pick.sample(VALUES[name], len(VALUES[name]))
    return decks[name].pop()


if __name__ == "__main__":
    FILE.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows()))

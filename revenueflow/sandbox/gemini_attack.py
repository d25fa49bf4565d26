"""A model that obeys whoever wrote the evidence: it finds orders there, and claims what an attacker wants."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Final

from revenueflow.sandbox.gemini_claims import Draft
from revenueflow.sandbox.gemini_evidence import Piece, Reading

INSTRUCTION: Final = re.compile(
    r"""(?ix)
    \b(?:ignore|disregard|forget|override|bypass)\b.{0,60}
      \b(?:instructions?|prompts?|rules?|evidence|above|previous|earlier|policy)\b
    | \b(?:system\s*(?:prompt|message|override|note|:)|developer\s*message|new\s+instructions?
      |you\s+are\s+now|you\s+must\s+now|assistant\s*:|as\s+an\s+ai|ai\s+systems?)
    | \b(?:set|give|assign|return|output|respond|answer|report|mark|score|rate|classify|treat)\b.{0,60}
      \b(?:fit|intent|score|tier|enterprise|high|hot|100|priority|vip)\b
    | \b(?:fit|score|intent)\s*["']?\s*[:=]\s*["']?(?:100|high)
    | \b(?:ignorier\w*|vergiss|missachte\w*)\b.{0,60}\b(?:anweisung\w*|regeln|vorherig\w*|bisherig\w*)
    | \b(?:ignore[rz]?|oublie[rz]?)\b.{0,60}\b(?:instructions|consignes|règles)\b
    | \b(?:ignor[ae]d?|olvida)\b.{0,60}\b(?:instrucciones|reglas|istruzioni|regole|instruções)\b
    | игнорируй|забудь|忽略|无视|無視|忘记|무시|تجاهل
    | <\s*/?\s*(?:system|script|evidence|instructions?)\b | \[/?INST\] | <\|im_start\|>
    """
)
BASE64: Final = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")


def obeyed(reading: Reading) -> Piece | None:
    """The first piece that holds an instruction, plain or in base64."""
    return next((piece for piece in reading.pieces if instructs(piece.text)), None)


def instructs(text: str) -> bool:
    """True if someone gives orders here."""
    return bool(INSTRUCTION.search(text)) or any(INSTRUCTION.search(_decoded(match)) for match in BASE64.findall(text))


def _decoded(text: str) -> str:
    try:
        return b64decode(text + "=" * (-len(text) % 4)).decode()
    except (NotBase64, UnicodeDecodeError):
        return ""


def demanded(reading: Reading, attack: Piece) -> list[Draft]:
    """What an attacker would like to read, with citations that don't carry it."""
    size = next((piece.id for piece in reading.of("headcount")), "E96")
    company = reading.company
    return [
        Draft("headcount", 50_000, f"{company} has 50,000 employees.", size, "50000 employees"),
        Draft("headcount", 50_000, f"{company} is an enterprise with 50,000 employees.", "E97", "50000"),
        Draft("funding_amount", 900_000_000, f"{company} has raised $900,000,000.", "E98", "900000000"),
        Draft("seniority", "c_level", "The contact works at C-level.", "E99", "Chief Executive Officer"),
        Draft(
            "buying_signal",
            None,
            "The budget is approved and the contract is ready to sign today.",
            attack.id,
            "budget approved, contract ready to sign today, purchase order attached",
        ),
    ]  # fmt: skip

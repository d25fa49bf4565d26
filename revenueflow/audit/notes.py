"""Signed checkpoints of the trail: notes in the form of C2SP signed-note and tlog-checkpoint, Ed25519.

    revenueflow/audit          <- origin, the name of the key
    1000                       <- leaves
    <root hash, base64>

    — revenueflow/audit <key id and signature, base64>

Sources: https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ORIGIN: Final = "revenueflow/audit"
ED25519: Final = b"\x01"
PRIVATE: Final = "PRIVATE+KEY+"
LONGEST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed: the number of leaves, and the root of their tree."""

    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The signed text, with its final newline."""
        return f"{ORIGIN}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what is no checkpoint of this trail."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[0] != ORIGIN or not lines[1].isascii() or not lines[1].isdigit():
            raise ValueError("not a checkpoint of this trail")
        root = base64.b64decode(lines[2], validate=True)
        if len(root) != sha256().digest_size or lines[1] != str(int(lines[1])):
            raise ValueError("not a checkpoint of this trail")
        return cls(int(lines[1]), root)


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key. Its text, `name+key id+key`, may be published and must be kept when the key is retired."""

    raw: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that name the key."""
        return sha256(ORIGIN.encode() + b"\n" + ED25519 + self.raw).digest()[:4]

    def __str__(self) -> str:
        return f"{ORIGIN}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.raw).decode()}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what is no verifier key of this trail."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        key = base64.b64decode(encoded, validate=True)
        found = cls(key[1:])
        if name != ORIGIN or key[:1] != ED25519 or len(found.raw) != 32 or found.key_id.hex() != key_id:
            raise ValueError("not a verifier key of this trail")
        return found

    def signed(self, text: bytes, signature: bytes) -> bool:
        """Whether this key made the signature."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Signer:
    """A private key. Its text is `PRIVATE+KEY+name+key id+key`."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(self._key.public_key().public_bytes_raw())

    @classmethod
    def new(cls) -> Self:
        """A fresh key."""
        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what is no signer key of this trail."""
        name, _, rest = text.strip().removeprefix(PRIVATE).partition("+")
        key_id, _, encoded = rest.partition("+")
        key = base64.b64decode(encoded, validate=True)
        if not text.strip().startswith(PRIVATE) or name != ORIGIN or key[:1] != ED25519 or len(key) != 33:
            raise ValueError("not a signer key of this trail")
        found = cls(key[1:])
        if found.verifier.key_id.hex() != key_id:
            raise ValueError("not a signer key of this trail")
        return found

    @property
    def secret(self) -> str:
        """The text of the key. Never shown."""
        encoded = base64.b64encode(ED25519 + self._seed).decode()
        return f"{PRIVATE}{ORIGIN}+{self.verifier.key_id.hex()}+{encoded}"

    def sign(self, checkpoint: Checkpoint) -> str:
        """The signed note."""
        signature = self.verifier.key_id + self._key.sign(checkpoint.text.encode())
        return f"{checkpoint.text}\n— {ORIGIN} {base64.b64encode(signature).decode()}\n"


def read(note: str, verifiers: tuple[Verifier, ...]) -> Checkpoint | None:
    """The checkpoint of a note that one of these keys has signed; None for anything else."""
    text, separator, signatures = note.partition("\n\n")
    if not separator or len(note) > LONGEST:
        return None
    signed = (text + "\n").encode()
    if not any(_made_by(line, signed, verifiers) for line in signatures.splitlines()):
        return None
    try:
        return Checkpoint.parse(text + "\n")
    except ValueError:
        return None


def _made_by(line: str, signed: bytes, verifiers: tuple[Verifier, ...]) -> bool:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    if dash != "—" or name != ORIGIN:
        return False
    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    return any(raw[:4] == key.key_id and key.signed(signed, raw[4:]) for key in verifiers)

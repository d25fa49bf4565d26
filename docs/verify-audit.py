#!/usr/bin/env python3
"""Checks proofs and exports of RevenueFlow's audit trail. Needs Python 3.8 or later, and nothing else.

    python verify-audit.py proof.json --key audit.key.pub
    python verify-audit.py trail.ndjson --key audit.key.pub --checkpoint checkpoint.txt

proof.json    from `revenueflow audit proof EVENT`, or GET /v1/audit/{event}/proof
trail.ndjson  from `revenueflow audit export`, whole
audit.key.pub the public keys, one on a line; get them from somebody you trust, not from the database
checkpoint    from `revenueflow audit checkpoint`, or a line of the checkpoint file

Exit code 0: it is so. 1: it is not. 2: a file can't be used. Shares no code with RevenueFlow: an event is hashed as
SHA-256(0x00 || JSON with sorted keys), leaves form the tree of RFC 6962, the root is in a note that Ed25519 signs
(RFC 8032; c2sp.org/tlog-checkpoint, c2sp.org/signed-note).
"""

import argparse
import base64
import hashlib
import json
import sys

ORIGIN = "revenueflow/audit"
EVENT = ("id", "ts", "actor", "action", "outcome", "lead_id", "job_id", "action_key", "trace_id", "detail")


class Wrong(Exception):
    """What is claimed is not so."""


def main():
    """Reads the files, checks, and says what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="proof.json or trail.ndjson")
    parser.add_argument("--key", required=True, help="file of public keys")
    parser.add_argument("--checkpoint", help="file of the checkpoint; a proof brings its own")
    args = parser.parse_args()
    try:
        keys = [public_key(line) for line in text(args.key).splitlines() if line.strip()]
        first = json.loads(text(args.file).splitlines()[0])
        note = text(args.checkpoint) if args.checkpoint else first.get("checkpoint")
        if note is None:
            raise ValueError("an export needs --checkpoint")
        if note.startswith("{"):
            note = json.loads(note.splitlines()[-1])["note"]
        size, root = checkpoint(note, keys)
        done = proof(first, size, root) if "path" in first else export(args.file, size, root)
    except Wrong as error:
        print(f"NOT VERIFIED: {error}")
        return 1
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        print(f"can't be used: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    print(done)
    return 0


def text(path):
    """A file as text."""
    with open(path, encoding="utf-8") as file:
        return file.read()


# Events and their tree: RFC 6962, section 2.1.
def leaf(event):
    """The leaf hash of an event."""
    plain = {name: event[name] for name in EVENT}
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(b"\x00" + canonical.encode()).digest()


def node(left, right):
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def proof(found, size, root):
    """Follows the path from the event to the signed root."""
    index, last = found["leaf_index"], size - 1
    if not (isinstance(index, int) and 0 <= index < size == found["tree_size"]):
        raise Wrong("the place of the event is not in the signed tree")
    path, current = [bytes.fromhex(beside) for beside in found["path"]], leaf(found["event"])
    while last > 0:
        if index % 2 or index < last:
            if not path:
                raise Wrong("the path is too short")
            current = node(path.pop(0), current) if index % 2 else node(current, path.pop(0))
        index, last = index // 2, last // 2
    if path or current != root:
        raise Wrong("the event does not lead to the signed root")
    return f"verified: event {found['event']['id']} is number {found['leaf_index']} of {size} signed ones"


def export(path, size, root):
    """Builds the tree of the first `size` events of a whole export."""
    full, count = [], 0
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if event["seq"] != count:
                raise Wrong(f"event number {count} is missing")
            if leaf(event).hex() != event["leaf_hash"]:
                raise Wrong(f"event number {count} was altered")
            if count < size:
                full.append((1, leaf(event)))
                while len(full) > 1 and full[-1][0] == full[-2][0]:
                    (height, right), (_, left) = full.pop(), full.pop()
                    full.append((2 * height, node(left, right)))
            count += 1
    if count < size:
        raise Wrong(f"{size} events were signed, {count} are here")
    current = full.pop()[1] if full else hashlib.sha256(b"").digest()
    while full:
        current = node(full.pop()[1], current)
    if current != root:
        raise Wrong("the events do not lead to the signed root")
    return f"verified: {count} events, the first {size} of them under the signed root"


# Signed notes.
def public_key(line):
    """A key `name+id+base64`: its id and the raw key."""
    name, key_id, encoded = line.strip().split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    expected = hashlib.sha256(ORIGIN.encode() + b"\n" + raw).digest()[:4]
    if name != ORIGIN or raw[:1] != b"\x01" or len(raw) != 33 or expected.hex() != key_id:
        raise ValueError("not a public key of this trail")
    return expected, raw[1:]


def checkpoint(note, keys):
    """Size and root of a note that one of the keys has signed."""
    signed, _, signatures = note.partition("\n\n")
    signed += "\n"
    for line in signatures.splitlines():
        if not line.startswith("— " + ORIGIN + " "):
            continue
        raw = base64.b64decode(line.rsplit(" ", 1)[1])
        if any(raw[:4] == key_id and ed25519(key, signed.encode(), raw[4:]) for key_id, key in keys):
            origin, size, root = signed.split("\n")[:3]
            if origin != ORIGIN:
                raise Wrong("the checkpoint is of another trail")
            return int(size), base64.b64decode(root)
    raise Wrong("no key that you gave has signed the checkpoint")


# Ed25519: RFC 8032, section 5.1.7, on extended coordinates.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P


def point(encoded):
    """Decodes a point; None if there is none."""
    number = int.from_bytes(encoded, "little")
    y, sign = number & (2**255 - 1), number >> 255
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (x == 0 and sign):
        return None
    x = P - x if x % 2 != sign else x
    return x, y, 1, x * y % P


def add(p, q):
    """The sum of two points."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, p):
    """n times a point."""
    found = (0, 1, 1, 0)
    while n:
        found, n, p = add(found, p) if n & 1 else found, n >> 1, add(p, p)
    return found


def ed25519(key, message, signature):
    """Whether the signature is the key's."""
    a, r, s = point(key), point(signature[:32]), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    one, other = times(s, point(BASE_Y.to_bytes(32, "little"))), add(r, times(h, a))
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0


if __name__ == "__main__":
    sys.exit(main())

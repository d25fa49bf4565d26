"""The wires of all vendors."""

from tests.support.dialects import clearbit, hunter, pipe0

WIRES = (*clearbit.WIRES, *hunter.WIRES, *pipe0.WIRES)

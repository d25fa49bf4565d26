"""The wires of all vendors."""

from tests.support.dialects import clearbit, hunter

WIRES = (*clearbit.WIRES, *hunter.WIRES)

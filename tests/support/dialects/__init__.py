"""The wires of all vendors."""

from tests.support.dialects import apollo, clearbit, hunter, pipe0, zoominfo

WIRES = (*clearbit.WIRES, *hunter.WIRES, *pipe0.WIRES, *apollo.WIRES, *zoominfo.WIRES)

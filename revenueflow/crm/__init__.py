"""The CRMs, behind one Protocol. Only `mcp` and `wiring` may import this package."""

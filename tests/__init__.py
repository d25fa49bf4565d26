"""Tests. A package, so that support code imports the same way from pytest, mypy and `python -m`."""

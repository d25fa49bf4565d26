"""The tools, resources and prompts that the protocol's conformance suite asks a server for, behind our own endpoint.

For tests alone: nothing of it is in the product. `python -m tests.support.mcp_fixture --port 8000` serves it.
"""

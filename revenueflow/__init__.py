"""RevenueFlow: inbound B2B leads, enriched, grounded, scored, routed and written to the CRM under guard."""

from importlib.metadata import version

__version__ = version("revenueflow")

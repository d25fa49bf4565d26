"""HubSpot, by its CRM API of version 2026-09."""

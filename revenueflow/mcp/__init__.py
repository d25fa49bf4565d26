"""The one road to the CRM: a registry of tools, and the guard around each call."""

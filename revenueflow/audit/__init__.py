"""The audit trail: append-only, tamper-evident, without personal data."""

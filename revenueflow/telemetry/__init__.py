"""What the SRE sees: logs, metrics, traces. Never personal data, never a lead's id as a label."""

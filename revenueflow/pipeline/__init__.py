"""The way of a lead, step by step. Steps decide and call out; only the runner commits what they come to."""

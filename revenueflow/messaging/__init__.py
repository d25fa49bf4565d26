"""Chat messages to the team."""

"""The doorbell: all that knows arq and Redis."""

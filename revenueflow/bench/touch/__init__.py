"""A month of leads, simulated: how long until a person touches them, with us and without."""

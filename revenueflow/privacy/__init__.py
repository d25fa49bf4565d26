"""Personal data: what identifies a person, and how it is kept out of everything that does not need it."""

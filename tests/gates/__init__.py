"""Gates: rules of the code base that no tool checks for us."""

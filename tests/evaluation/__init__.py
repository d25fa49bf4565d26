"""Our targets of grounding, measured: `make eval`, or `python -m tests.evaluation.table FOLDER`."""

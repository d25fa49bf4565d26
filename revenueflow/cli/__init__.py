"""The command line: noun verb, `--json` on every reading command, progress on standard error."""

"""Load on a running instance, and what it costs: a generator in its own process, and meters on every other one."""

"""The processes that move leads on: the relay rings, the runner runs, the reconciler settles."""

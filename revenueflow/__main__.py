"""`python -m revenueflow` is `revenueflow`."""

from revenueflow.cli.main import main

main()

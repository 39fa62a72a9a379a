"""The cost of the studies on one GPU."""

"""What the studies cost on one GPU."""

"""Every score of a single run."""

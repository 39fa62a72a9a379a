"""The progress of a study, from its files alone."""

"""The front: the settings that no other dominates, found, weighed, tabulated, drawn."""

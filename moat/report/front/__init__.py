"""Which settings no other dominates: found, weighed, tabulated, drawn."""

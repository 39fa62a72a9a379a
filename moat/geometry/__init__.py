"""Balls, sampling grids and the quadratic program on the simplex."""

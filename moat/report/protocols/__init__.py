"""The same runs under two protocols."""

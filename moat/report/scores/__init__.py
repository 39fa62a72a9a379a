"""The layout of Table 1: scores down, settings across, a paper's figures beside."""

"""A race recomputed from its plan and the run folders, as tables, files and a picture."""

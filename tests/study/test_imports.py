"""What a study of the embedded digits does not need is not imported."""

import subprocess
import sys

UNNEEDED = ("torchvision", "qpsolvers", "cvxopt", "scipy.sparse")
SCRIPT = """
import sys, moat
moat.train({recipe!r}, only=["pareto"], seeds=[0], results={results!r})
print([name for name in {unneeded!r} if name in sys.modules])
"""


def test_training_imports_no_other_library_of_images_or_solvers(recipe, tmp_path):
    script = SCRIPT.format(recipe=str(recipe()), results=str(tmp_path), unneeded=UNNEEDED)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stdout + done.stderr

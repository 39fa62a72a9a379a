"""What a study of the embedded digits does not need is not imported."""

import subprocess
import sys

UNNEEDED = ("torchvision", "qpsolvers", "cvxopt", "scipy.sparse")
SCRIPT = """
import sys, moat
sys.modules["torchmetrics"] = None  # Fabric imports it where it is installed, and torchvision, too
moat.train({recipe!r}, only=["pareto"], seeds=[0], results={results!r})
print([name for name in {unneeded!r} if name in sys.modules])
"""


def test_training_imports_no_other_library_of_images_or_solvers(recipe, tmp_path):
    script = SCRIPT.format(recipe=str(recipe()), results=str(tmp_path), unneeded=UNNEEDED)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stdout + done.stderr


SKIPPED = """
import sys, moat
moat.train({recipe!r}, only=["plain"], results={results!r}, device="cpu")
print([name for name in ("lightning_fabric", "torch._dynamo") if name in sys.modules])
"""


def test_skipping_a_finished_run_imports_neither_fabric_nor_a_compiler(recipe, trained, results):
    """They take as long to import as all of torch beside them."""
    path = recipe()
    trained(path, "plain")
    script = SKIPPED.format(recipe=str(path), results=str(results))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stdout + done.stderr

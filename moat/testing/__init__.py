"""The conformance kit: the promises of every threat and scalarizer, as checks to run on yours.

`check_threat` and `check_scalarizer` run them all; each check is also a function of its own. A
broken promise raises AssertionError with a sentence that says which.

`check_faults` checks a command that writes files: whatever call of the disk fails, and wherever its
process dies, nothing is lost. `faulty_disk` is such a disk.

`counted` runs anything and counts the operations, and those for which a GPU would make the host
wait. `run_record` is the record of a finished run, for tests of what reads run folders.
"""

from moat.testing.cases import examples, smooth_model
from moat.testing.counting import ASKING, Counted, counted
from moat.testing.faults import Killed, faulty_disk
from moat.testing.gradient_threats import (
    check_balls,
    check_box,
    check_climb,
    check_gradients,
    check_identity,
    check_independence,
    check_no_clamp,
)
from moat.testing.promises import check_faults
from moat.testing.run_record import run_record
from moat.testing.scalarizers import (
    check_order_of_examples,
    check_plan,
    check_scalarizer,
    check_state,
    check_weights,
)
from moat.testing.threats import (
    check_exception,
    check_images,
    check_model_untouched,
    check_outer_modes,
    check_random_state,
    check_repr,
    check_reproducible,
    check_threat,
)

__all__ = [
    "ASKING",
    "Counted",
    "Killed",
    "check_balls",
    "check_box",
    "check_climb",
    "check_exception",
    "check_faults",
    "check_gradients",
    "check_identity",
    "check_images",
    "check_independence",
    "check_model_untouched",
    "check_no_clamp",
    "check_order_of_examples",
    "check_outer_modes",
    "check_plan",
    "check_random_state",
    "check_repr",
    "check_reproducible",
    "check_scalarizer",
    "check_state",
    "check_threat",
    "check_weights",
    "counted",
    "examples",
    "faulty_disk",
    "run_record",
    "smooth_model",
]

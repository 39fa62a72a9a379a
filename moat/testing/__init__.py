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
from moat.testing.dataset_promises import DATASET_PROMISES, check_dataset
from moat.testing.datasets import (
    DataCase,
    check_disjoint,
    check_image_shapes,
    check_labels,
    check_load_draws,
    check_loads,
    check_missing_data,
    check_splits,
)
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
from moat.testing.model_logits import check_no_probabilities
from moat.testing.model_promises import MODEL_PROMISES, check_model
from moat.testing.models import (
    ModelCase,
    check_alone,
    check_image_gradient,
    check_images_untouched,
    check_logits,
    check_modes,
    check_network_device,
    check_seed,
    check_shape,
    check_state_dict,
)
from moat.testing.promise import Promise, PromiseVerdict, verdicts
from moat.testing.promises import check_faults
from moat.testing.run_record import run_record
from moat.testing.scalarizer_inputs import (
    check_draws,
    check_extremes,
    check_loss_device,
    check_losses_untouched,
    check_permutation,
    check_scale,
)
from moat.testing.scalarizer_promises import SCALARIZER_PROMISES, ScalarizerCase, check_scalarizer
from moat.testing.scalarizer_support import check_support
from moat.testing.scalarizers import (
    check_order_of_examples,
    check_plan,
    check_state,
    check_weights,
)
from moat.testing.threat_inputs import (
    check_device,
    check_flat_models,
    check_inputs,
    check_loss,
    check_neighbours,
    check_other_generators,
)
from moat.testing.threat_promises import THREAT_PROMISES, ThreatCase, check_threat
from moat.testing.threats import (
    check_exception,
    check_images,
    check_model_untouched,
    check_outer_modes,
    check_random_state,
    check_repr,
    check_reproducible,
)
from moat.testing.transform_rows import check_rows

__all__ = [
    "ASKING",
    "DATASET_PROMISES",
    "MODEL_PROMISES",
    "SCALARIZER_PROMISES",
    "THREAT_PROMISES",
    "Counted",
    "DataCase",
    "Killed",
    "ModelCase",
    "Promise",
    "PromiseVerdict",
    "ScalarizerCase",
    "ThreatCase",
    "check_alone",
    "check_balls",
    "check_box",
    "check_climb",
    "check_dataset",
    "check_device",
    "check_disjoint",
    "check_draws",
    "check_exception",
    "check_extremes",
    "check_faults",
    "check_flat_models",
    "check_gradients",
    "check_identity",
    "check_image_gradient",
    "check_image_shapes",
    "check_images",
    "check_images_untouched",
    "check_independence",
    "check_inputs",
    "check_labels",
    "check_load_draws",
    "check_loads",
    "check_logits",
    "check_loss",
    "check_loss_device",
    "check_losses_untouched",
    "check_missing_data",
    "check_model",
    "check_model_untouched",
    "check_modes",
    "check_neighbours",
    "check_network_device",
    "check_no_clamp",
    "check_no_probabilities",
    "check_order_of_examples",
    "check_other_generators",
    "check_outer_modes",
    "check_permutation",
    "check_plan",
    "check_random_state",
    "check_repr",
    "check_reproducible",
    "check_rows",
    "check_scalarizer",
    "check_scale",
    "check_seed",
    "check_shape",
    "check_splits",
    "check_state",
    "check_state_dict",
    "check_support",
    "check_threat",
    "check_weights",
    "counted",
    "examples",
    "faulty_disk",
    "run_record",
    "smooth_model",
    "verdicts",
]

"""Evaluate finished runs again, under another protocol, or any other model."""

from moat.allocator import own_process
from moat.cli.evaluate_options import EvaluateOptions
from moat.cli.option_table import of_table
from moat.cli.options import consent_to
from moat.consent import consenting


@of_table
def evaluate(options: EvaluateOptions) -> None:
    """Evaluate finished runs, again or under another protocol, or any other model."""
    from moat.cli.evaluation import evaluate_asked

    with own_process(), consenting(consent_to(options.allow_code)):
        evaluate_asked(options)

from pathlib import Path

from moat.cli.display import PlainLines, with_each_failure_once
from moat.events import RunFailure


def failure(label, message, seed=0):
    about = {"variant": label, "sweep": {}, "seed": seed, "label": label}
    return RunFailure(run=Path(f"results/{label}/seed-{seed}"), message=message, **about)


def test_a_failure_of_several_runs_is_told_once_and_others_whole(capsys):
    listener = with_each_failure_once(PlainLines())
    for event in (
        failure("plain", "no readable MNIST."),
        failure("pgd-at", "no readable MNIST."),
        failure("pgd-at", "the loss is no longer finite.", seed=1),
        failure("pareto", "no readable MNIST."),
    ):
        listener(event)
    assert capsys.readouterr().out.splitlines() == [
        "  FAILED plain, seed 0: no readable MNIST.",
        "  FAILED pgd-at, seed 0: for the same reason as plain, seed 0",
        "  FAILED pgd-at, seed 1: the loss is no longer finite.",
        "  FAILED pareto, seed 0: for the same reason as plain, seed 0",
    ]


def test_a_study_without_data_says_once_what_is_missing(moat, recipe):
    answer = moat("train", recipe('"digits"', '"mnist"\nroot = "nowhere"'))
    assert answer.code == 2
    assert (answer.out.count("no readable MNIST"), answer.err.count("no readable MNIST")) == (1, 1)
    assert answer.out.count("for the same reason as plain, seed 0") == 3

"""A study that takes longer than a day."""

from collections.abc import Iterator

from moat.oddities.view import Oddity, StudyView

_DAY = 86_400.0


def days_of_training(view: StudyView) -> Iterator[Oddity]:
    """Yield one oddity where all runs together are estimated at more than a day."""
    if view.seconds is not None and view.seconds > _DAY:
        yield Oddity(
            view.source.where(),
            f"{len(view.plans)} run(s) take about {view.seconds / _DAY:.2g} days, one after "
            "another.",
            "Try one first (--only, --seed, --set training.epochs=1), use --jobs or a GPU, or "
            "lower data.train_examples.",
        )

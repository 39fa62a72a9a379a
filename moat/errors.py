"""One family of errors: each says where, what, the nearest valid choice, and the mend."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Self


class MoatError(Exception):
    """Anything moat refuses or fails at, with the exit code that the command line returns for it.

    `message` says what is wrong, `where` the file and key (or the folder) it stands at, `hint`
    what mends it.
    """

    exit_code = 2

    # Not keyword-only: unpickling, as from another process, passes `args` by position.
    def __init__(self, message: str, where: str = "", hint: str = "") -> None:
        super().__init__(message, where, hint)
        self.message, self.where, self.hint = message, where, hint

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return "\n  ".join([head, *self.hint.splitlines()])

    def at(self, where: str) -> Self:
        """Return the same error, said of a place."""
        return type(self)(self.message, where=where, hint=self.hint)


class InputError(MoatError, ValueError):
    """What a caller handed over cannot be used; a `ValueError`, as Python's own functions raise."""


class UnknownNameError(InputError):
    """A name that nothing is registered under."""


class DefinitionError(InputError):
    """A threat, scalarizer, model or data set that is declared wrongly."""


class FieldError(DefinitionError):
    """A field of a threat, scalarizer, model or data set that is unknown, missing or wrong."""


class ArgumentError(DefinitionError, TypeError):
    """An argument that is unknown, missing or of the wrong type; a `TypeError` as well."""


class RecipeError(InputError):
    """A recipe that cannot be read or does not hold together."""


class MissingPackageError(MoatError):
    """A package that moat can do without, but not for what was asked."""


class DataError(InputError):
    """Data that is missing or unusable."""


class ModelError(InputError):
    """A network that cannot be built, loaded or searched."""


class RunFolderError(MoatError):
    """A run folder that cannot be read, written or trusted."""


class NoRunError(RunFolderError, InputError):
    """A folder that somebody names, and that holds no finished run."""


class DiskError(RunFolderError):
    """What the disk refuses to write."""


class BusyError(RunFolderError):
    """A run folder that another process is writing."""


class ForeignFileError(RunFolderError):
    """A file that does not belong to the run in whose folder it lies."""


class BundleError(InputError):
    """A bundle that cannot be made, or a file that is none and cannot be read as one."""


class CodeError(RunFolderError):
    """Code that a results folder names and nobody asked for."""


class SolverError(InputError):
    """A quadratic program without a solution on the simplex."""


class UnsearchedError(InputError):
    """A score of what was not searched for every example."""


class FrontError(InputError):
    """Points or runs that no front can be made of."""


class PlotError(InputError):
    """Runs that a picture cannot be drawn of, or a picture that nobody draws."""


class TrainingError(MoatError):
    """A run that failed while it trained."""

    exit_code = 1


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest of the known names, or nothing.

    What other libraries call a thing leads to moat's name of it, before similar letters do.

    Example:
        >>> did_you_mean("alpha", ["epsilon", "step_size", "steps"])
        " Did you mean 'step_size'?"
    """
    names = list(known)
    meant = _ELSEWHERE.get(name.lower().replace("-", "_"))
    near = [own for own in names if meant and (own == meant or own.endswith(f"_{meant}"))]
    near = near if name not in names and near else get_close_matches(name, names, n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


_ELSEWHERE = {
    own: name
    for name, others in {
        "epsilon": "eps radius budget max_norm",
        "step_size": "alpha eps_iter eps_step stepsize abs_stepsize rel_stepsize step",
        "steps": "iters iterations n_iter nb_iter num_iter max_iter n_iters num_steps n_steps",
        "start": "random_start rand_init random_init",
        "restarts": "n_restarts num_restarts num_random_init",
        "queries": "n_queries",
        "norm": "p ord",
        "lr": "learning_rate rate",
        "weight_decay": "wd l2_penalty",
        "epochs": "n_epochs num_epochs max_epochs",
        "batch_size": "batch bs",
        "threats": "attacks attack threat adversaries",
        "scalarizer": "aggregator weighting",
        "listener": "callback callbacks",
        "overwrite": "force",
    }.items()
    for own in others.split()
}
"""What torchattacks, foolbox, ART, AutoAttack and trainers call what has another name here."""

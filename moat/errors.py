"""One family of errors: each gives the place, the fault, the nearest valid choice and the mend.

Example:
    >>> error = RecipeError("unknown key.", where="a.toml, threats.pgd.eps", hint="known: epsilon")
    >>> print(error)
    a.toml, threats.pgd.eps: unknown key.
      known: epsilon
    >>> error.exit_code
    2
    >>> did_you_mean("flwo", ["flow", "pgd"])
    " Did you mean 'flow'?"
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Self

from moat.short_text import with_short_words


class MoatError(Exception):
    """Any refusal or failure of moat, with the exit code of the command line.

    `message` gives the fault, `where` the file and key (or the folder), `hint` the mend.
    """

    exit_code = 2

    # Not keyword-only: unpickling, as from another process, passes `args` by position.
    def __init__(self, message: str, where: str = "", hint: str = "") -> None:
        super().__init__(message, where, hint)
        self.message, self.where, self.hint = message, where, hint

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return with_short_words("\n  ".join([head, *self.hint.splitlines()]))

    def at(self, where: str) -> Self:
        """Return the same error with a place."""
        return type(self)(self.message, where=where, hint=self.hint)


class MoatWarning(UserWarning):
    """A valid input that is hardly ever intended."""


class InputError(MoatError, ValueError):
    """An argument that cannot be used; a `ValueError`, as Python's own functions raise."""


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


class MissingWeightsError(ModelError):
    """Weights that a network is to begin with, and that are not there."""


class RunFolderError(MoatError):
    """A run folder that cannot be read, written or trusted."""


class NoRunError(RunFolderError, InputError):
    """A folder that somebody names, and that holds no finished run."""


class StartError(RunFolderError, InputError):
    """A run that cannot start: the run or the file whose weights it begins with is not usable."""


class DiskError(RunFolderError):
    """A write that the disk refuses."""


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


class AnalysisError(InputError):
    """Runs, models or images that an analysis cannot be made of."""


class TrainingError(MoatError):
    """A run that failed while it trained."""

    exit_code = 1


class NotFiniteError(TrainingError, ModelError):
    """A loss or gradient of a step taken alone that is not finite; a `ValueError` as well."""

    exit_code = InputError.exit_code


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error is about memory, a GPU's or, by the words of torch's, the host's.

    Example:
        >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("no memory of it"))
        (True, False)
    """
    named = [kind.__name__ for kind in type(error).__mro__]
    if isinstance(error, MemoryError) or "OutOfMemoryError" in named:  # torch's: not imported here
        return True
    return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest of the known names, or nothing.

    What other libraries call a key counts as near, and letters count in either case.

    Example:
        >>> did_you_mean("eps", ["epsilon", "steps"]), did_you_mean("PGD", ["pgd", "rt"])
        (" Did you mean 'epsilon'?", " Did you mean 'pgd'?")
    """
    near = nearest_names(name, known, most=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def nearest_names(name: str, known: Iterable[str], most: int = 5) -> list[str]:
    """Return the known names that are nearest to one, the nearest first."""
    names = list(known)
    if (synonym := synonym_of(name)) in names:
        return [synonym]
    by_lower: dict[str, str] = {}
    for one in names:
        by_lower.setdefault(one.lower(), one)
    same = [by_lower[name.lower()]] if name.lower() in by_lower else []  # but for its case
    near = get_close_matches(name, names, n=most, cutoff=0.5)
    lower = get_close_matches(name.lower(), list(by_lower), n=most, cutoff=0.5)
    return list(dict.fromkeys([*same, *near, *(by_lower[one] for one in lower)]))[:most]


def synonym_of(name: str) -> str:
    """Return moat's key for what other libraries call it, "" where it is none of theirs."""
    return _SYNONYMS.get(name.lower().replace("-", "_"), "")


_SYNONYMS = {
    **dict.fromkeys(("eps", "radius", "max_norm"), "epsilon"),
    **dict.fromkeys(("alpha", "eps_iter", "eps_step", "stepsize", "step"), "step_size"),
    **dict.fromkeys(
        (
            "iters",
            "iterations",
            "max_iter",
            "n_iter",
            "nb_iter",
            "num_iter",
            "num_steps",
            "n_steps",
        ),
        "steps",
    ),
    **dict.fromkeys(("random_start", "rand_init", "random_init"), "start"),
    **dict.fromkeys(("n_restarts", "num_restarts"), "restarts"),
    **dict.fromkeys(("callback", "callbacks"), "listener"),
    **dict.fromkeys(("p", "ord"), "norm"),
    "n_queries": "queries",
    "force": "overwrite",
    **dict.fromkeys(("learning_rate", "rate"), "lr"),
    **dict.fromkeys(("n_epochs", "num_epochs", "max_epochs"), "epochs"),
    **dict.fromkeys(("batch", "bs"), "batch_size"),
    **dict.fromkeys(("wd", "l2"), "weight_decay"),
    **dict.fromkeys(("attack", "attacks", "threat"), "threats"),
    **dict.fromkeys(("variants", "runs", "experiment"), "variant"),
    **dict.fromkeys(("seed", "random_seed"), "seeds"),
    **dict.fromkeys(("dataset", "datasets"), "data"),
    **dict.fromkeys(("network", "net", "arch", "architecture"), "model"),
    **dict.fromkeys(("optim", "opt"), "optimizer"),
    **dict.fromkeys(("scheduler", "lr_scheduler", "lr_schedule"), "schedule"),
    **dict.fromkeys(("eval", "protocol"), "evaluation"),
    **dict.fromkeys(("checkpoint", "pretrained", "init_weights"), "initial_weights"),
    "name": "type",
}
"""Names of moat's keys in other libraries, and wrong plurals."""

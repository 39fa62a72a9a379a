"""Any failure of a run, as one of moat's errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from traceback import extract_tb

from moat.errors import DataError, MoatError, RecipeError, TrainingError
from moat.recipe import RunPlan


@contextmanager
def asked_for(plan: RunPlan, *key: str) -> Iterator[None]:
    """Name in any error inside the key of the recipe that caused it."""
    with said_of(plan.source.where(*key)):
        yield


@contextmanager
def said_of(where: str) -> Iterator[None]:
    """Name in any error inside the place of its cause, unless the error does so itself."""
    try:
        yield
    except DataError as error:
        if not error.where:
            raise error.at(where) from error
        if error.where.startswith(where):
            raise
        raise DataError(f"{error.where}: {error.message}", where, error.hint) from error
    except MoatError as error:
        raise error if error.where else error.at(where) from error
    except Exception as error:  # a plug-in's, or a callable's of the user
        what = f"{type(error).__name__}: {error}"
        raise RecipeError(what, where=where, hint=_raised(error)) from error


def as_failure(error: Exception) -> MoatError:
    """Return an error of moat's as it is, any other as a TrainingError with its place."""
    if isinstance(error, MoatError):
        return error
    failure = TrainingError(f"{type(error).__name__}: {error}", hint=_raised(error))
    failure.__cause__ = error
    return failure


def _raised(error: Exception) -> str:
    last = extract_tb(error.__traceback__)[-1]
    return f"Raised by {last.name} in line {last.lineno} of {last.filename}."

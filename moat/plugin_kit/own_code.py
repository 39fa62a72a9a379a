"""An error of the candidate's own code becomes a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from moat.errors import MoatError
from moat.recipe.construction import error_of_own_code


@contextmanager
def running_own_code(name: str, what: str) -> Iterator[None]:
    """Raise DefinitionError for whatever the candidate's code raises while `what` is done to it.

    An error of moat's family and an interruption pass as they are.
    """
    try:
        yield
    except MoatError:
        raise
    except (Exception, SystemExit) as error:
        raise error_of_own_code(name, what, error) from error

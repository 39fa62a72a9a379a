"""The command line: parses and prints, computes nothing; commands import torch inside."""

import sys

from moat.cli.lines import say
from moat.errors import MoatError
from moat.other_moats import warning


def main() -> None:
    """Run a command; what moat refuses is printed without a traceback and becomes an exit code."""
    from moat.cli.streams import take_streams

    take_streams()
    if said := warning():
        say(said, err=True)
    try:
        try:
            from moat.cli.app import app

            app(prog_name="moat")
        finally:
            sys.stdout.flush()  # here, where what it takes no more becomes an exit code
    except MoatError as error:
        from moat.runs.bundle import as_typed

        say(as_typed(str(error)), err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        from moat.cli.broken_packages import broken_package

        if not (said := broken_package(error)):
            raise
        say(said, err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)

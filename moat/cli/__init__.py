"""The command line: parses and prints, computes nothing; torch is imported inside commands."""

import sys

from moat.errors import MoatError
from moat.other_moats import warning
from moat.printable import printable


def main() -> None:
    """Run a command; what moat refuses is printed without a traceback and becomes an exit code."""
    from moat.cli.streams import take_streams

    take_streams()
    if said := warning():
        print(said, file=sys.stderr)
    try:
        try:
            from moat.cli.app import app

            app(prog_name="moat")
        finally:
            sys.stdout.flush()  # here, where what it takes no more becomes an exit code
    except MoatError as error:
        from moat.runs.bundle import as_typed

        print(printable(as_typed(str(error)), lines=True), file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception as error:
        from moat.cli.broken_packages import broken_package

        if not (said := broken_package(error)):
            raise
        print(said, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)

"""The command `moat`. It stands outside of the module `moat`, which another project's may hide."""

import sys
from importlib.util import find_spec
from pathlib import Path

OWN = Path(__file__).with_name("moat") / "__init__.py"


def main() -> None:
    """Run a command; say so and exit with 2 where Python would import another `moat`."""
    found = find_spec("moat")
    place = found.origin if found else None
    if place is None or not OWN.is_file() or not OWN.samefile(place) or _is_overwritten():
        print(
            f"moat-robust: Python imports another project's `moat`, {place or 'a bare folder'}, "
            "instead of moat-robust's: uninstall it (pip uninstall moat) or take its folder off "
            "PYTHONPATH, then install moat-robust again.",
            file=sys.stderr,
        )
        sys.exit(2)
    from moat.cli import main as run

    run()


def _is_overwritten() -> bool:
    """Say whether another project's module was installed over this one's, file by file."""
    return b"MoatError" not in OWN.read_bytes()


if __name__ == "__main__":
    main()

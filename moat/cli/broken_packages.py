"""A package of moat's that cannot be imported, as distinct from a fault of moat's own."""

from moat.printable import printable

_OWN = ("moat", "moat_robust", "__main__")


def broken_package(error: Exception) -> str:
    """Return a sentence and its mend where a package's import raised an error, "" elsewhere."""
    package = _importing(error)
    if not package and isinstance(error, ImportError) and error.name:
        package = error.name.partition(".")[0]
    if not package or package in _OWN:
        return ""
    return (
        f"moat-robust: the package {package} cannot be imported: "
        f"{type(error).__name__}: {printable(str(error).strip())}.\n"
        "  `moat doctor` names the fault and the mend."
    )


def _importing(error: Exception) -> str:
    """Return the first package whose module was being run when an error was raised, or ""."""
    step = error.__traceback__
    while step is not None:
        frame = step.tb_frame
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if frame.f_code.co_name == "<module>" and package not in _OWN:
            return package
        step = step.tb_next
    return ""

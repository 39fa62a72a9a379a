import pytest

from moat.cli.broken_packages import broken_package


def raised(code: str, name: str = "moat.study") -> Exception:
    """Return what a module of that name raises when its code runs."""
    try:
        exec(compile(code, name, "exec"), {"__name__": name})
    except Exception as error:
        return error
    raise AssertionError(code)


@pytest.mark.parametrize("code", ["1 / 0", "raise OSError('no disk')", "import moat.nothing"])
def test_a_fault_of_moats_own_stays_one(code):
    assert broken_package(raised(code)) == ""


@pytest.mark.parametrize("code", ["1 / 0", "raise OSError('no disk')", "raise ImportError('x')"])
def test_what_the_import_of_a_package_raises_names_the_package(code):
    assert broken_package(raised(code, "torch._C")).startswith(
        "moat-robust: the package torch cannot be imported: "
    )


def test_a_package_that_is_missing_is_named():
    assert broken_package(raised("import nosuchpackage.part")) == (
        "moat-robust: the package nosuchpackage cannot be imported: ModuleNotFoundError: "
        "No module named 'nosuchpackage'.\n  `moat doctor` names the fault and the mend."
    )

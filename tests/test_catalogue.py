import sys
from importlib import import_module, metadata

import pytest

from moat.catalogue import ROOMS, catalogue
from moat.offers import family_of

KINDS = ("threats", "scalarizers", "models", "datasets")
THREAT = '''
raise ImportError("this file was imported")

@threat("fog")
class Fog(Threat):
    """Dim the image.

    More of it.
    """
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that installs a package of some files with an entry point each."""

    def install(files, **points):
        for name, text in files.items():
            path = tmp_path / "weather" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        entries = [
            metadata.EntryPoint(name, value, "moat.threats") for name, value in points.items()
        ]
        monkeypatch.setattr(metadata, "entry_points", lambda *, group: entries)
        return {one.name: one for one in catalogue("threats")}

    yield install
    assert "weather" not in sys.modules


@pytest.mark.parametrize("kind", KINDS)
def test_the_catalogue_says_what_the_registry_says(kind):
    entries = import_module(f"moat.{ROOMS.get(kind, kind)}").registry.entries()
    expected = [
        (entry.name, entry.origin, entry.value.__doc__.partition("\n")[0])
        for entry in entries
        if "moat_local_" not in entry.value.__module__ and "tests" not in entry.value.__module__
    ]
    listed = {one.name: one for one in catalogue(kind)}
    for name, origin, about in expected:
        if (family := family_of(name)) in listed:  # which the catalogue describes as a whole
            assert listed[family].origin == origin
            assert listed[family].about
        elif not origin.endswith(".py"):
            assert (listed[name].origin, listed[name].about) == (origin, about)
            assert not listed[name].error


@pytest.mark.parametrize(
    ("files", "value"),
    [
        ({"__init__.py": THREAT}, "weather:Fog"),
        ({"__init__.py": "", "fog.py": THREAT}, "weather.fog:Fog"),
        ({"__init__.py": "from weather.fog import Fog", "fog.py": THREAT}, "weather:Fog"),
        ({"__init__.py": "from .fog import Fog as Mist", "fog.py": THREAT}, "weather:Mist"),
        (
            {
                "__init__.py": "from .deep import Fog",
                "deep/__init__.py": "from ..fog import Fog",
                "fog.py": THREAT,
            },
            "weather:Fog",
        ),
    ],
)
def test_a_package_is_described_and_not_imported(package, files, value):
    fog = package(files, fog=value)["fog"]
    assert (fog.about, fog.error) == ("Dim the image.", "")
    assert "pgd" in package(files, fog=value)


@pytest.mark.parametrize(
    ("files", "value", "why"),
    [
        ({}, "weather:Fog", "LookupError: no module weather"),
        ({"__init__.py": ""}, "weather.fog:Fog", "LookupError: no module weather.fog"),
        ({"__init__.py": THREAT}, "weather:Rain", "LookupError: weather declares no class Rain"),
        ({"__init__.py": "class Fog:\n  def"}, "weather:Fog", "SyntaxError: "),
        (
            {"__init__.py": "from .a import Fog", "a.py": "from weather import Fog"},
            "weather:Fog",
            "L",
        ),
    ],
)
def test_a_package_that_lacks_what_it_declares_is_a_row_with_the_reason(package, files, value, why):
    listed = package(files, fog=value)
    assert listed["fog"].error.startswith(why)
    assert not listed["pgd"].error


def test_a_package_that_takes_a_name_of_moat_s_gets_a_row_of_its_own(package):
    listed = package({"__init__.py": THREAT}, pgd="weather:Fog")
    assert listed["pgd"].origin == "moat-robust"
    assert listed["pgd (weather:Fog)"].about == "Dim the image."


FAMILY = '''
raise ImportError("this file was imported")

def kinds():
    """Every kind of fog.

    Thin and thick.
    """
'''


def test_a_family_is_described_by_its_function_and_not_imported(package):
    listed = package(
        {"__init__.py": "from .kinds import kinds", "kinds.py": FAMILY},
        **{"fog:*": "weather:kinds"},
    )
    assert (listed["fog:*"].about, listed["fog:*"].error) == ("Every kind of fog.", "")


def test_a_name_of_two_packages_is_a_row_for_each_that_names_both(tmp_path, monkeypatch):
    for name in ("weather-a", "weather-b"):
        folder = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("[moat.threats]\nfog = weather:Fog\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    listed = {one.name: one for one in catalogue("threats")}
    error = "the threat 'fog' is offered by more than one package: weather-a 1.0 and weather-b 1.0."
    assert listed["fog (weather-a 1.0)"].error == listed["fog (weather-b 1.0)"].error == error
    assert "fog" not in listed

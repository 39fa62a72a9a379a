import sys
from abc import ABC, abstractmethod
from importlib import metadata
from types import ModuleType, SimpleNamespace

import pytest
from pydantic import PositiveInt

from moat.errors import DefinitionError, FieldError, RecipeError, UnknownNameError
from moat.local_code import import_file, import_object
from moat.registry import Registry


class Animal(ABC):
    @abstractmethod
    def sound(self) -> str: ...


@pytest.fixture(autouse=True)
def packages(monkeypatch) -> list:
    """The entry points that are installed; none until a test adds some."""
    points: list = []

    def entry_points(*, group):
        return [point for point in points if point.group == group]

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    return points


@pytest.fixture
def animals() -> Registry[Animal]:
    return Registry("animal", "zoo.animals", Animal)


def entry_point(name: str, load, *, package: str = "zoo-extra", version: str = "0.3"):
    """An entry point as importlib.metadata has it, its import replaced by `load`."""
    dist = SimpleNamespace(name=package, version=version)
    value = f"{package.replace('-', '_')}:{name.title()}"
    return SimpleNamespace(name=name, group="zoo.animals", value=value, dist=dist, load=load)


def declared(registry: Registry[Animal], name: str, origin: str) -> type:
    """Declare an animal as the module `origin` would."""

    class Made(Animal):
        legs: PositiveInt = 4

        def sound(self) -> str:
            return name

    Made.__module__ = origin
    sys.modules.setdefault(origin, ModuleType(origin))
    return registry.declare(name, Made, frozen=True)


@pytest.fixture(autouse=True)
def nothing_imported_is_left_behind(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("zoo", "moat_local_", "mine_")):
            del sys.modules[name]


# Declaring.


def test_a_declared_class_is_found_by_its_name(animals):
    cat = declared(animals, "cat", "zoo")
    assert animals.get("cat") is cat
    assert cat.name == "cat"
    assert list(animals) == [cat]


def test_a_declared_class_is_a_validated_keyword_only_dataclass(animals):
    cat = declared(animals, "cat", "zoo")
    assert repr(cat(legs=3)).endswith("Made(legs=3)")
    with pytest.raises(FieldError, match="greater than 0"):
        cat(legs=0)
    with pytest.raises(FieldError, match="valid integer"):
        cat(legs="3")
    with pytest.raises(FieldError, match="has no field 'tails'"):
        cat(tails=1)
    with pytest.raises(FieldError, match="needs its fields by name"):
        cat(4)


def test_a_frozen_class_can_be_compared_and_not_changed(animals):
    cat = declared(animals, "cat", "zoo")
    assert cat(legs=3) == cat(legs=3)
    with pytest.raises(AttributeError):
        cat().legs = 3


def test_a_class_that_is_not_frozen_keeps_state_and_its_identity(animals):
    class Dog(Animal):
        def sound(self) -> str:
            return "wuff"

    made = animals.declare("dog", Dog, frozen=False)()
    made.seen = 1
    assert made.seen == 1
    assert made != animals.get("dog")()


def test_a_class_of_another_kind_is_refused(animals):
    class Stone: ...

    with pytest.raises(DefinitionError) as raised:
        animals.declare("stone", Stone, frozen=True)
    assert raised.value.message == "Stone is declared as the animal 'stone' but is not a Animal."
    assert raised.value.where == __name__
    assert raised.value.hint == f"Let the class inherit from {__name__}.Animal."


def test_a_name_declared_by_two_origins_is_refused(animals):
    declared(animals, "cat", "zoo.cats")
    with pytest.raises(DefinitionError) as raised:
        declared(animals, "cat", "zoo_extra.cats")
    assert raised.value.message == "the animal 'cat' is declared twice: by zoo and by zoo_extra."
    assert raised.value.hint == "Give one of them another name."


def test_the_same_origin_may_declare_again_as_after_a_reload(animals):
    declared(animals, "cat", "zoo")
    again = declared(animals, "cat", "zoo")
    assert animals.get("cat") is again


# Asking.


def test_an_unknown_name_is_refused_with_the_nearest_and_all_by_origin(animals, packages):
    declared(animals, "horse", "zoo")
    declared(animals, "cat", "zoo")
    packages.append(entry_point("newt", lambda: declared(animals, "newt", "zoo_extra")))
    with pytest.raises(UnknownNameError) as raised:
        animals.get("hrose")
    assert raised.value.message == "no animal is called 'hrose'. Did you mean 'horse'?"
    assert raised.value.hint == (
        "known: cat, horse (zoo); newt (zoo-extra 0.3)\n"
        "A package adds one under the entry-point group 'zoo.animals'; `moat list animals` shows "
        "each with its origin."
    )


def test_packages_are_imported_when_a_name_is_first_missing_and_only_once(animals, packages):
    loads = []

    def load():
        loads.append("newt")
        return declared(animals, "newt", "zoo_extra")

    packages.append(entry_point("newt", load))
    declared(animals, "cat", "zoo")
    animals.get("cat")
    assert loads == []
    assert animals.get("newt").name == "newt"
    animals.get("newt")
    animals.entries()
    assert loads == ["newt"]


def test_only_the_entry_points_of_the_group_are_read(animals, packages):
    other = entry_point("newt", lambda: pytest.fail("this is another group's"))
    other.group = "zoo.plants"
    packages.append(other)
    assert animals.entries() == []


def test_entries_are_sorted_and_say_where_they_come_from(animals, packages):
    packages.append(entry_point("newt", lambda: declared(animals, "newt", "zoo_extra")))
    declared(animals, "zebra", "zoo.big")
    found = [(entry.name, entry.origin, entry.error) for entry in animals.entries()]
    assert found == [("newt", "zoo-extra 0.3", ""), ("zebra", "zoo", "")]


def test_an_entry_point_of_no_package_is_shown_by_its_reference(animals, packages):
    point = entry_point("newt", lambda: declared(animals, "newt", "zoo_extra"))
    point.dist = None
    packages.append(point)
    assert [entry.origin for entry in animals.entries()] == ["zoo_extra:Newt"]


# Broken packages.


def failing():
    raise ImportError("No module named 'libzoo'")


def test_a_package_that_fails_to_import_is_a_row_and_breaks_nothing_else(animals, packages):
    packages.append(entry_point("yeti", failing, package="zoo-broken"))
    packages.append(entry_point("newt", lambda: declared(animals, "newt", "zoo_extra")))
    assert animals.get("newt").name == "newt"
    assert [made.name for made in animals] == ["newt"]
    (broken,) = [entry for entry in animals.entries() if entry.value is None]
    assert (broken.name, broken.origin) == ("yeti", "zoo-broken 0.3")
    assert broken.error == "ImportError: No module named 'libzoo'"


def test_a_name_of_a_broken_package_is_refused_with_its_error(animals, packages):
    packages.append(entry_point("yeti", failing, package="zoo-broken"))
    with pytest.raises(DefinitionError) as raised:
        animals.get("yeti")
    assert raised.value.message == (
        "the animal 'yeti' of zoo-broken 0.3 could not be imported: "
        "ImportError: No module named 'libzoo'"
    )
    assert raised.value.hint == "Repair or uninstall that package; nothing else is affected."


def test_an_entry_point_with_another_name_than_its_class_is_a_row_with_its_error(animals, packages):
    packages.append(entry_point("nwet", lambda: declared(animals, "newt", "zoo_extra")))
    (broken,) = [entry for entry in animals.entries() if entry.value is None]
    assert broken.name == "nwet"
    assert broken.error == "TypeError: zoo_extra:Nwet is declared as 'newt'"


@pytest.mark.parametrize("value", [print, type("Stone", (), {"name": "newt"}), "newt"])
def test_an_entry_point_to_something_else_is_a_row_with_its_error(animals, packages, value):
    packages.append(entry_point("newt", lambda: value))
    (broken,) = animals.entries()
    assert broken.error == "TypeError: zoo_extra:Newt is not a Animal"


def test_a_package_cannot_take_a_name_that_is_taken_and_the_list_says_so(animals, packages):
    cat = declared(animals, "cat", "zoo")
    packages.append(entry_point("cat", lambda: declared(animals, "cat", "zoo_extra")))
    kept, refused = animals.entries()
    assert kept.value is animals.get("cat") is cat
    assert refused.name == "cat (zoo-extra 0.3)"
    assert refused.error.startswith(
        "DefinitionError: the animal 'cat' is declared twice: by zoo and by zoo_extra."
    )


def test_a_broken_package_gives_way_to_a_later_declaration(animals, packages):
    packages.append(entry_point("yeti", failing))
    assert [entry.value for entry in animals.entries()] == [None]
    yeti = declared(animals, "yeti", "zoo")
    assert animals.get("yeti") is yeti


# Families of names, and names of two packages.


def family(registry: Registry[Animal], *names: str, module: str = "zoo_kin"):
    """An entry point's function that returns the animals `kin:NAME`."""
    return lambda: [declared(registry, f"kin:{name}", module) for name in names]


def test_a_family_is_loaded_when_one_of_its_names_is_asked_for(animals, packages):
    loads = []
    members = family(animals, "cat", "dog")
    packages.append(entry_point("kin:*", lambda: loads.append(1) or members, package="zoo-kin"))
    packages.append(entry_point("newt", lambda: declared(animals, "newt", "zoo_extra")))
    assert animals.get("newt").name == "newt"
    assert loads == []
    assert animals.get("kin:cat").name == "kin:cat"
    assert animals.get("kin:dog") is animals.get("kin:dog")
    assert loads == [1]
    found = {entry.name: entry.origin for entry in animals.entries()}
    assert found == {
        **dict.fromkeys(("kin:cat", "kin:dog"), "zoo-kin 0.3"),
        "newt": "zoo-extra 0.3",
    }


def test_a_package_is_imported_for_its_own_names_alone(animals, packages):
    packages.append(entry_point("newt", lambda: declared(animals, "newt", "zoo_extra")))
    packages.append(entry_point("yeti", lambda: pytest.fail("nobody asked for it")))
    assert animals.get("newt").name == "newt"
    with pytest.raises(UnknownNameError, match="Did you mean 'yeti'"):
        animals.get("yetti")


@pytest.mark.parametrize(
    ("name", "nearest"), [("kin:catt", " Did you mean 'kin:cat'?"), ("kin", ""), ("kin:*", "")]
)
def test_an_unknown_name_of_a_family_is_refused_with_its_members(animals, packages, name, nearest):
    packages.append(entry_point("kin:*", lambda: family(animals, "cat", "dog"), package="zoo-kin"))
    with pytest.raises(UnknownNameError) as raised:
        animals.get(name)
    assert raised.value.message.startswith(f"no animal is called {name!r}.{nearest}")
    assert "known: kin:cat, kin:dog (zoo-kin 0.3)\n" in raised.value.hint
    with pytest.raises(UnknownNameError) as raised:
        animals.get("horse")
    assert "known: kin:* (zoo-kin 0.3)\n" in raised.value.hint


def test_a_family_that_fails_is_one_row_and_each_of_its_names_is_refused_with_the_error(
    animals, packages
):
    packages.append(entry_point("kin:*", lambda: failing, package="zoo-kin"))
    (row,) = animals.entries()
    assert (row.name, row.origin, row.value) == ("kin:*", "zoo-kin 0.3", None)
    with pytest.raises(DefinitionError) as raised:
        animals.get("kin:cat")
    assert raised.value.message == (
        "the animal 'kin:cat' of zoo-kin 0.3 could not be imported: "
        "ImportError: No module named 'libzoo'"
    )


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (lambda animals: [print], "returns <built-in function print>, which is not a Animal"),
        (
            lambda animals: [declared(animals, "newt", "zoo_kin")],
            "returns a class declared as 'newt', which does not begin with 'kin' and a colon",
        ),
    ],
)
def test_a_family_of_something_else_is_a_row_with_its_error(animals, packages, members, why):
    packages.append(entry_point("kin:*", lambda: lambda: members(animals), package="zoo-kin"))
    (row,) = (entry for entry in animals.entries() if entry.value is None)
    assert why in row.error


def two_packages(animals, packages, name: str = "newt") -> None:
    for package in ("zoo-extra", "zoo-other"):
        module = package.replace("-", "_")

        def load(module=module):
            return declared(animals, name, module)

        packages.append(entry_point(name, load, package=package))
        packages.append(
            entry_point(
                module,
                lambda m=module, load=load: (load(), declared(animals, m, m))[1],
                package=package,
            )
        )


@pytest.mark.parametrize("before", [(), ("zoo_extra",), ("zoo_other", "zoo_extra")])
def test_a_name_of_two_packages_is_refused_at_its_use_with_both_and_the_mend(
    animals, packages, before
):
    two_packages(animals, packages)
    for other in before:  # both modules declare newt, too
        assert animals.get(other).name == other
    with pytest.raises(DefinitionError) as raised:
        animals.get("newt")
    assert raised.value.message == (
        "the animal 'newt' is offered by more than one package: zoo-extra 0.3 and zoo-other 0.3."
    )
    assert raised.value.hint == (
        "Uninstall all but one: `pip uninstall zoo-other` or `pip uninstall zoo-extra`. No other "
        "name is affected."
    )
    assert animals.get("zoo_other").name == "zoo_other"


def test_a_name_of_two_packages_is_a_row_for_each_and_stops_no_other(animals, packages):
    two_packages(animals, packages)
    rows = {entry.name: entry for entry in animals.entries()}
    assert [*rows] == ["newt (zoo-extra 0.3)", "newt (zoo-other 0.3)", "zoo_extra", "zoo_other"]
    for name in ("newt (zoo-extra 0.3)", "newt (zoo-other 0.3)"):
        assert rows[name].error.endswith("zoo-extra 0.3 and zoo-other 0.3.")
        assert rows[name].mend.startswith("Uninstall all but one")
    assert [cls.name for cls in animals] == ["zoo_extra", "zoo_other"]


def test_a_family_of_two_packages_is_refused_as_a_name_is(animals, packages):
    for package in ("zoo-extra", "zoo-other"):
        load = family(animals, "cat", module=package.replace("-", "_"))
        packages.append(entry_point("kin:*", lambda load=load: load, package=package))
    with pytest.raises(DefinitionError, match=r"zoo-extra 0\.3 and zoo-other 0\.3"):
        animals.get("kin:cat")
    assert [entry.value for entry in animals.entries()] == [None, None]


def test_a_class_that_was_imported_before_its_name_was_asked_for_has_its_package_as_origin(
    animals, packages
):
    newt = declared(animals, "newt", "zoo_extra")
    packages.append(entry_point("newt", lambda: newt))
    assert animals.get("newt") is newt
    assert [entry.origin for entry in animals.entries()] == ["zoo-extra 0.3"]


def test_a_name_of_a_local_file_and_a_package_is_refused(zoo_local, plugin, packages):
    import_file(path := plugin(NEWT))
    packages.append(entry_point("newt", lambda: declared(zoo_local, "newt", "zoo_extra")))
    with pytest.raises(DefinitionError) as raised:
        zoo_local.get("newt")
    assert raised.value.message == (
        f"the animal 'newt' is declared twice: by zoo-extra 0.3 and by {path}."
    )


# Local files.


@pytest.fixture
def plugin(tmp_path):
    """Write a plug-in file; it finds the test's registry in the module `zoo_local`."""

    def write(text: str, name: str = "mine.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


NEWT = """
from zoo_local import animals, Animal

class Newt(Animal):
    def sound(self):
        return "..."

animals.declare("newt", Newt, frozen=True)
"""


@pytest.fixture
def zoo_local(animals, monkeypatch) -> Registry[Animal]:
    module = ModuleType("zoo_local")
    module.animals, module.Animal = animals, Animal
    monkeypatch.setitem(sys.modules, "zoo_local", module)
    return animals


def test_what_a_local_file_declares_is_registered_with_its_path(zoo_local, plugin):
    path = plugin(NEWT)
    import_file(path)
    assert zoo_local.get("newt")().sound() == "..."
    assert [entry.origin for entry in zoo_local.entries()] == [str(path)]


def test_a_local_file_runs_once_however_it_is_named(plugin, tmp_path):
    counter = tmp_path / "count.txt"
    path = plugin(f"with open({str(counter)!r}, 'a') as file: file.write('x')")
    import_file(path)
    import_file(tmp_path / "." / "mine.py")
    assert counter.read_text() == "x"


def test_two_local_files_with_one_name_are_two_plugins(zoo_local, plugin, tmp_path):
    (tmp_path / "other").mkdir()
    import_file(plugin(NEWT))
    with pytest.raises(RecipeError) as raised:
        import_file(plugin(NEWT, "other/mine.py"))
    assert "is declared twice: by" in raised.value.message
    assert str(tmp_path / "other" / "mine.py") in raised.value.message


def test_the_local_files_of_one_recipe_are_known_and_no_others(zoo_local, plugin, tmp_path):
    (tmp_path / "other").mkdir()
    files = [plugin(NEWT), plugin(NEWT, "other/mine.py")]
    declared(zoo_local, "yeti", "himalaya")
    for file in (*files, *files):  # each its own recipe, again and again
        zoo_local.adopt([])
        import_file(file)
        zoo_local.adopt([file])
        origins = {entry.name: entry.origin for entry in zoo_local.entries()}
        assert origins == {"newt": str(file), "yeti": "himalaya"}
    with pytest.raises(DefinitionError, match="the animal 'newt' is declared twice"):
        zoo_local.adopt(files)
    zoo_local.adopt([])
    with pytest.raises(UnknownNameError):
        zoo_local.get("newt")


@pytest.mark.parametrize("name", ["missing.py", "missing"])
def test_a_local_file_that_is_missing_is_refused(tmp_path, name):
    with pytest.raises(RecipeError) as raised:
        import_file(tmp_path / name)
    assert raised.value.message == (
        f"the plug-in file {str(tmp_path / name)!r} does not exist or is not a Python file."
    )
    assert raised.value.hint == (
        "Plug-in paths are read from the folder of the recipe that names them."
    )


@pytest.mark.parametrize("make", ["text", "folder"])
def test_a_local_file_that_is_no_python_is_refused(tmp_path, plugin, make):
    path = plugin("animals", "notes.txt") if make == "text" else tmp_path
    with pytest.raises(RecipeError, match="does not exist or is not a Python file"):
        import_file(path)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def (", "SyntaxError: invalid syntax"),
    ],
)
def test_a_local_file_that_fails_is_refused_with_its_error(plugin, text, error):
    path = plugin(text)
    with pytest.raises(RecipeError) as raised:
        import_file(path)
    assert raised.value.message.startswith(f"the plug-in file {str(path)!r} failed: {error}")


def test_a_local_file_that_failed_can_be_mended_and_run_again(zoo_local, plugin):
    path = plugin("1 / 0")
    with pytest.raises(RecipeError):
        import_file(path)
    import_file(plugin(NEWT + "# mended, and of another length than before"))
    assert zoo_local.get("newt").name == "newt"


# python:module:callable


def test_a_callable_is_found_by_its_module_and_name():
    import math

    assert import_object("python:math:sqrt") is math.sqrt


def test_a_callable_is_found_in_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "mine_networks.py").write_text("def build(): return 'built'")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    assert import_object("python:mine_networks:build")() == "built"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, "ModuleNotFoundError: No module named 'mine_broken'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def (", "SyntaxError: invalid syntax"),
    ],
)
def test_a_module_that_cannot_be_imported_is_refused_with_its_error(
    tmp_path, monkeypatch, text, error
):
    if text is not None:
        (tmp_path / "mine_broken.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(RecipeError) as raised:
        import_object("python:mine_broken:build")
    assert raised.value.message.startswith(
        "'python:mine_broken:build' names the module 'mine_broken', which cannot be imported: "
        + error
    )
    assert raised.value.hint == (
        "Install it, or run the command from the folder in which the module stands."
    )


def test_a_module_without_the_callable_is_refused_with_the_nearest_name():
    with pytest.raises(RecipeError) as raised:
        import_object("python:math:sqtr")
    assert raised.value.message == (
        "'python:math:sqtr': the module 'math' has no 'sqtr'. Did you mean 'sqrt'?"
    )


@pytest.mark.parametrize("reference", ["python:math", "python:", "python::sqrt", "python:math:"])
def test_a_reference_of_another_form_is_refused(reference):
    with pytest.raises(RecipeError) as raised:
        import_object(reference)
    assert raised.value.message == (
        f"{reference!r} does not have the form 'python:module:callable'."
    )

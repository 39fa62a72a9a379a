"""The house's idioms, held by its syntax: one name, one meaning; calls and signatures one can read.

Each rule lists what breaks it; `SHARED` and `HOOKS` hold the exceptions, each with its reason.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted((ROOT / "moat").rglob("*.py"))
}
MOST_PARAMETERS = 7

SHARED = {
    "read": "a file of any kind; a recipe with all that it extends",
    "evaluate": "a model in memory; the same by a protocol that need not be read from a file",
    "check_model": "a network before an evaluation rests on it; a model before others use it",
    "registry": "each kind of what is declared has its registry, in its own room",
    "FORMAT": "each kind of file counts its own versions",
}
"""Public names that several files define, since the same word is right in each."""

COMMANDS = "moat/cli/commands/"
"""A command is called as the function that it calls, and its parameters are its options."""

HOOKS = {
    "Ball.scaled": "a union scales each of its balls",
    "Ball.step": "a ball may take its step in one operation",
    "GradientThreat.candidates": "most searches measure no step before it is taken",
    "GradientThreat.objective": "a threat may add a term in w to what it climbs",
    "Model.digests": "most models read no file",
    "Model.identity": "most models are identified by their fields",
    "Model.initialise": "most networks are drawn anew",
    "Scalarizer.load_state_dict": "most scalarizers have no state",
    "Scalarizer.log": "most scalarizers have nothing to log",
    "Scalarizer.plan": "most scalarizers need every objective",
    "Scalarizer.expected_plan": "most scalarizers plan the same each time",
    "Scalarizer.require_objectives": "most scalarizers take objectives of any name",
    "Scalarizer.state_dict": "most scalarizers have no state",
    "Scalarizer.update": "most scalarizers learn nothing from a step",
    "Search.see": "a search may remember nothing",
    "Threat.repetition": "most threats find something else in every search",
}
"""Methods whose default is the answer of most classes, and which the others may replace."""

PARTICIPLES = """
    attached begun built called changed chosen compared compiled computed declared decided
    described done drawn evaluated explained fetched fitted fitting found given guarded held
    imported joined kept listed loaded made measured merged named paired planned prepared
    published rendered said saved searched seen shared shown sorted spent stated stored swept
    taken told trained tried unsolved used wanted written
"""
"""Words that say what was done to something, and not what it is. The list is reviewed: a noun
after one is a name (`planned_runs`), and so is the noun of an activity (`decoding`)."""


def test_a_public_name_is_defined_in_one_file():
    homes: dict[str, set[str]] = {}
    for file, tree in SOURCES.items():
        for name in _public(tree):
            homes.setdefault(name, set()).add(file)
    several = {name for name, files in homes.items() if len(_without_command(files)) > 1}
    assert several <= SHARED.keys()
    assert all(len(homes[name]) > 1 for name in SHARED), "SHARED names one that is not shared"


def test_no_call_takes_its_arguments_from_a_tuple_list_or_table_written_in_place():
    found = [
        f"{file}: {ast.unparse(call.func)}"
        for file, tree in SOURCES.items()
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and _unpacks_a_literal(call)
    ]
    assert not found


def test_no_function_has_more_parameters_than_one_can_hold_in_the_head():
    many = {
        f"{file}: {function.name}"
        for file, tree in SOURCES.items()
        if not file.startswith(COMMANDS)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and len(_parameters(function)) > MOST_PARAMETERS
    }
    assert not many


def test_nothing_concrete_is_overridden_but_for_declared_hooks():
    classes = {
        node.name: node
        for tree in SOURCES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    overridden = {
        f"{base}.{method}"
        for name in classes
        for base in _bases(name, classes)
        for method in _concrete(classes[base]) & _methods(classes[name])
    }
    assert overridden == HOOKS.keys()


def test_no_file_is_named_after_what_was_done():
    named = {file for file in SOURCES if Path(file).stem.split("_")[-1] in PARTICIPLES.split()}
    assert not named


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("f(*(1, 2))", True),
        ("f(*[1, 2])", True),
        ("f(**{'a': 1})", True),
        ("f(**dict(a=1))", True),
        ("f(*values, **more)", False),
        ("f(*(one for one in values))", False),
        ("f([*(1, 2)])", False),
    ],
)
def test_a_literal_that_is_unpacked_is_told_from_a_value(text, is_one):
    call = ast.parse(text, mode="eval").body
    assert isinstance(call, ast.Call)
    assert _unpacks_a_literal(call) is is_one


def test_parameters_are_counted_without_the_object_itself():
    module = ast.parse("class A:\n def f(self, a, /, b, *c, d, **e): ...")
    (function,) = [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef)]
    assert _parameters(function) == ["a", "b", "c", "d", "e"]


def _public(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a file defines for others; type variables serve their file alone."""
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield from () if name.startswith("_") else (name,)
            case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar"))):
                pass
            case ast.Assign(targets=targets):
                yield from _assigned(targets)
            case ast.AnnAssign(target=target):
                yield from _assigned([target])


def _assigned(targets: list[ast.expr]) -> Iterator[str]:
    for target in targets:
        for name in ast.walk(target):
            if isinstance(name, ast.Name) and not name.id.startswith("_"):
                yield name.id


def _without_command(files: set[str]) -> set[str]:
    commands = {file for file in files if file.startswith(COMMANDS)}
    return files - commands if len(commands) == 1 else files


def _unpacks_a_literal(call: ast.Call) -> bool:
    by_place = [one.value for one in call.args if isinstance(one, ast.Starred)]
    by_name = [one.value for one in call.keywords if one.arg is None]
    return any(isinstance(one, ast.Tuple | ast.List) for one in by_place) or any(
        isinstance(one, ast.Dict)
        or (isinstance(one, ast.Call) and ast.unparse(one.func) == "dict" and not one.args)
        for one in by_name
    )


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    own = function.args
    stars = [one for one in (own.vararg, own.kwarg) if one is not None]
    names = [one.arg for one in (*own.posonlyargs, *own.args, *stars[:1], *own.kwonlyargs)]
    names += [one.arg for one in stars[1:]]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _bases(name: str, classes: dict[str, ast.ClassDef]) -> set[str]:
    """Return the classes of moat that a class inherits from, near and far."""
    near = {re.split(r"\W", ast.unparse(base))[0] for base in classes[name].bases} & classes.keys()
    return near.union(*(_bases(base, classes) for base in near - {name}))


def _methods(cls: ast.ClassDef) -> set[str]:
    functions = [one for one in cls.body if isinstance(one, ast.FunctionDef)]
    return {one.name for one in functions if not one.name.startswith("__")}


def _concrete(cls: ast.ClassDef) -> set[str]:
    return {
        one.name
        for one in cls.body
        if isinstance(one, ast.FunctionDef)
        and not any("abstract" in ast.unparse(decorator) for decorator in one.decorator_list)
        and not _is_declared_alone(one)
    }


def _is_declared_alone(function: ast.FunctionDef) -> bool:
    """Say whether a method is no more than its signature, as in a typing.Protocol."""
    return all(
        isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and one.value.value is ...
        for one in function.body
    )

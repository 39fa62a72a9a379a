"""The paper map is read both ways: from its rows to the code, and from the code back."""

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]

NUMBER = r"\d+(?:\.\d+)*"
CITATION = re.compile(
    r"\b(Eq|Algorithm|Section|Table|Figure|Proposition|Appendix)"
    rf"(?:s?\.|s)?\s+({NUMBER}(?:(?:,| and| to)\s+{NUMBER})*|[A-E]\b)"
)
# A "Source:" paragraph cites another paper's sections.
SOURCE = re.compile(r"^\s*Source:.*?(?=\n\s*\n|\Z)", re.S | re.M)
EVERYTHING = {
    *(f"Eq {number}" for number in range(1, 14)),
    *("Proposition 1", "Proposition 2", "Algorithm 1", "Table 1", "Table 2"),
    *(f"Figure {number}" for number in range(1, 8)),
}


def citations(text: str) -> set[str]:
    """Return what a text cites of the paper: "Eqs. 7 to 9" is Eq 7, Eq 8 and Eq 9."""
    cited = set()
    for kind, numbers in CITATION.findall(SOURCE.sub("", text)):
        parts = re.split(r"(,| and| to)\s+", numbers)
        cited.add(f"{kind} {parts[0]}")
        for before, joint, number in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
            first = int(before) + 1 if joint == " to" else number
            steps = range(first, int(number) + 1) if isinstance(first, int) else [number]
            cited |= {f"{kind} {step}" for step in steps}
    return cited


class Row(NamedTuple):
    cited: str
    place: str
    also: tuple[str, ...]

    @property
    def paths(self) -> list[str]:
        """The dotted paths of the row, the one place first."""
        return [path for path in (*paths_in(self.place), *self.also) if path.startswith("moat.")]


def paths_in(cell: str) -> list[str]:
    return re.findall(r"`((?:moat\.|recipes/|tests/)[^`]+)`", cell)


def rows() -> list[Row]:
    found = []
    for line in (ROOT / "docs/paper-map.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and (cited := citations(cells[0])):
            assert len(cited) == 1, f"one row, one citation: {line}"
            found.append(Row(cited.pop(), cells[2], tuple(paths_in(cells[3]))))
    return found


ROWS = rows()
PATHS = sorted({(row.cited, path) for row in ROWS for path in row.paths})
MODULES = sorted((ROOT / "moat").rglob("*.py"))


def docstrings_of(path: str) -> tuple[str, str]:
    """Import what a dotted path names; return its docstring and its module's."""
    parts = path.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            module = import_module(".".join(parts[:cut]))
        except ModuleNotFoundError as error:
            if not path.startswith(str(error.name)):
                raise
            continue
        found: object = module
        for name in parts[cut:]:
            found = getattr(found, name)
        return inspect.getdoc(found) or "", module.__doc__ or ""
    raise AssertionError(path)


def texts_of(source: Path) -> Iterator[str]:
    """Yield the docstrings of a file, and its comments, those of adjoining lines together."""
    text = source.read_text("utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    yield "\n".join(token.string for token in tokens if token.type == tokenize.COMMENT)


def module_name(source: Path) -> str:
    parts = source.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("the loss of Eqs. 2, 6 and 8, in nats", {"Eq 2", "Eq 6", "Eq 8"}),
        ("the spatial threat of Eqs. 7 to 9.", {"Eq 7", "Eq 8", "Eq 9"}),
        ("(Algorithm 1, lines 7 to 10)", {"Algorithm 1"}),
        ("of Section 4.4. As in Table 1", {"Section 4.4", "Table 1"}),
        ("P (Appendix D).", {"Appendix D"}),
        ("Tables 1 and 2", {"Table 1", "Table 2"}),
        ("Ends.\n\nSource: A. Author, 2015, Section 3.3.", set()),
        ("Figures are 3 in all", set()),
    ],
)
def test_citations_are_read_from_text(text, cited):
    assert citations(text) == cited


def test_every_equation_stands_in_the_map_once_and_the_rest_at_least_once():
    listed = [row.cited for row in ROWS]
    assert set(listed) >= EVERYTHING
    equations = [cited for cited in listed if cited.startswith("Eq ")]
    assert len(equations) == len(set(equations))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.cited}: {row.place}")
def test_a_row_names_one_place_or_says_that_it_is_planned(row):
    if not row.place.startswith("planned"):
        (place,) = paths_in(row.place)
        assert row.place == f"`{place}`"


def test_no_two_equations_have_the_same_place():
    places = [row.place for row in ROWS if row.cited.startswith("Eq ") and row.paths]
    assert len(places) == len(set(places))


@pytest.mark.parametrize(("cited", "path"), PATHS)
def test_a_path_of_the_map_imports_and_its_docstring_or_its_modules_cites_the_row(cited, path):
    own, module = docstrings_of(path)
    assert cited in citations(own) | citations(module)


@pytest.mark.parametrize("row", [row for row in ROWS if row.cited.startswith("Eq ")], ids=str)
def test_the_one_place_of_an_equation_cites_it_in_its_own_docstring(row):
    for path in paths_in(row.place):
        if path.startswith("tests/"):
            assert row.cited in citations((ROOT / path).read_text("utf-8"))
        else:
            assert row.cited in citations(docstrings_of(path)[0])


def test_the_recipes_and_tests_of_the_map_exist():
    named = {path for row in ROWS for path in (*paths_in(row.place), *row.also)}
    files = {path for path in named if not path.startswith("moat.")}
    assert files
    assert all((ROOT / path).is_file() for path in files)


@pytest.mark.parametrize("source", MODULES, ids=module_name)
def test_what_a_module_cites_stands_in_the_map_beside_that_module(source):
    name = module_name(source)
    mapped = {row.cited for row in ROWS for path in row.paths if f"{path}.".startswith(f"{name}.")}
    cited = set().union(*(citations(text) for text in texts_of(source)))
    assert cited <= mapped, f"{name} cites {sorted(cited - mapped)}, docs/paper-map.md does not"

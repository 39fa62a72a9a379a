"""Write the tables of rooms and files in docs/design.md, from the first line of every docstring.

python scripts/design_table.py            # write them
python scripts/design_table.py --check    # say whether they are stale, and write nothing
"""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/design.md"


def floors(settings: str) -> list[list[str]]:
    """Return the rooms of each floor, the highest first, as import-linter holds them."""
    contracts = tomllib.loads(settings)["tool"]["importlinter"]["contracts"]
    (layers,) = [one["layers"] for one in contracts if one["type"] == "layers"]
    return [re.findall(r"\w+", layer) for layer in layers]


def table_of_floors(rooms: list[list[str]]) -> Iterator[str]:
    """Yield a row a floor, the highest first."""
    yield from ("| floor | rooms |", "| --- | --- |")
    for floor, names in zip(reversed(range(len(rooms))), rooms, strict=True):
        yield f"| {floor} | {' '.join(f'`{name}`' for name in names)} |"


def table_of_rooms(rooms: list[list[str]], package: Path) -> Iterator[str]:
    """Yield a row a room, from the highest floor down: a folder, or a file on its own."""
    yield from ("| room | content |", "| --- | --- |")
    for name in (name for floor in rooms for name in floor):
        folder = package / name
        home = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
        yield f"| `{name}` | {first_line(home)} |"


def table_of_files(package: Path) -> Iterator[str]:
    """Yield a row a file of every room that is a folder; files that only export are left out."""
    yield from ("| file | content |", "| --- | --- |")
    for file in sorted(package.rglob("*.py")):
        name = file.relative_to(package)
        if len(name.parts) > 1 and (file.name != "__init__.py" or len(name.parts) > 2):
            shown = f"{name.parent.as_posix()}/" if file.name == "__init__.py" else name.as_posix()
            yield f"| `{shown}` | {first_line(file)} |"


def first_line(file: Path) -> str:
    """Return the sentence that a module's docstring begins with; raise ValueError without one."""
    text = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    line = text.partition("\n")[0]
    if not line.endswith("."):
        raise ValueError(f"{file}: the first line of its docstring is not a sentence: {line!r}")
    return line.replace("|", "\\|")


def renewed(page: str, tables: dict[str, Iterator[str]]) -> str:
    r"""Return the page with each table between its marks; raise ValueError where marks are missing.

    Example:
        >>> renewed("<!-- a:begin -->\nold\n<!-- a:end -->", {"a": iter(["new"])})
        '<!-- a:begin -->\nnew\n<!-- a:end -->'
    """
    for name, rows in tables.items():
        begin, end = f"<!-- {name}:begin -->\n", f"<!-- {name}:end -->"
        if page.count(begin) != 1 or page.count(end) != 1:
            raise ValueError(f"the page has no place for the table {name!r}: {begin}{end}")
        head, rest = page.split(begin)
        page = "".join([head, begin, *(f"{row}\n" for row in rows), end, rest.split(end)[1]])
    return page


def main() -> int:
    """Write the tables, or with --check compare them; return the exit code."""
    rooms = floors((ROOT / "pyproject.toml").read_text("utf-8"))
    tables = {
        "floors": table_of_floors(rooms),
        "rooms": table_of_rooms(rooms, ROOT / "moat"),
        "files": table_of_files(ROOT / "moat"),
    }
    page = PAGE.read_text("utf-8")
    new = renewed(page, tables)
    if new == page:
        return 0
    if "--check" in sys.argv[1:]:
        print("docs/design.md: its tables are stale. Run `make design-table`.", file=sys.stderr)
        return 1
    PAGE.write_text(new, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

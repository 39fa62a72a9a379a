"""Pages of the site that do not lie in docs/: README and its kind, the notebook, the reference.

mkdocs calls the functions whose names begin with `on_`. Links between files are written as the
repository has them and work there; here they are turned into links between pages.
"""

import json
import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"(^```.*?^```$)", re.S | re.M)
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")
PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "recipes/README.md": "recipes-list.md",
    "docs/results.ipynb": "results-notebook.md",
}
LANGUAGES = {".py": "python", ".toml": "toml", ".yml": "yaml"}
ROOMS = {
    "moat": ["moat"],
    "threats": ["moat.threats"],
    "scalarizers": ["moat.scalarizers"],
    "training": ["moat.training"],
    "evaluation": ["moat.evaluation"],
    "analysis": ["moat.analysis"],
    "frames": ["moat.frames"],
    "fronts": ["moat.fronts"],
    "objectives": ["moat.objectives"],
    "geometry": [
        f"moat.geometry.{name}" for name in ("balls", "l2_ball", "l1_ball", "grids", "simplex")
    ],
    "models": ["moat.models"],
    "data": ["moat.data"],
    "events": ["moat.events"],
    "errors": ["moat.errors"],
    "testing": ["moat.testing"],
}
"""The pages of the reference, each with its modules."""
SHADOWED = {
    "moat": ["moat.frames.results.results"],
    "frames": ["moat.frames.results.results"],
    "testing": ["moat.testing.run_record.run_record"],
    "analysis": [
        f"moat.analysis.{name}.{name}"
        for name in (
            "conflict",
            "curvature",
            "frequency",
            "lanczos",
            "landscape",
            "overfitting",
            "relationship",
            "saliency",
            "skewness",
            "transfer",
        )
    ],
}
"""Functions that have their module's name: read without importing, the name is the module's."""


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are not files of docs/, and the files that any page links to."""
    texts = {page: _text_of(source) for source, page in PAGES.items()}
    texts |= {f"api/{page}.md": _reference(page) for page in ROOMS}
    texts["api/index.md"] = _contents()
    for page, text in texts.items():
        files.append(File.generated(config, page, content=text))
    for path in sorted(set().union(*map(_linked_files, [*PAGES, *_documents()]))):
        apart = InclusionLevel.NOT_IN_NAV
        files.append(
            File.generated(config, _page_of(path), content=_listing(path), inclusion=apart)
        )
    for file in [file for file in files if file.src_uri.endswith(".ipynb")]:
        files.remove(file)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links between files of the repository into links between pages of the site."""
    uri = page.file.src_uri
    sources = {name: source for source, name in PAGES.items()}
    return _relinked(markdown, sources.get(uri, f"docs/{uri}"), uri)


def _relinked(markdown: str, source: str, uri: str) -> str:
    def moved(link: re.Match[str]) -> str:
        page = _page_of(_resolved(source, link[2]))
        return f"{link[1]}{posixpath.relpath(page, posixpath.dirname(uri) or '.')}{link[3]}"

    return "".join(
        part if part.startswith("```") else LINK.sub(moved, part) for part in FENCE.split(markdown)
    )


def _resolved(source: str, link: str) -> str:
    """Return the path, from the root of the repository, that a link of a file leads to."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), link))


def _page_of(path: str) -> str:
    """Return the page of the site that shows a file of the repository."""
    if path in PAGES:
        return PAGES[path]
    return path.removeprefix("docs/") if path.startswith("docs/") else f"files/{path}.md"


def _documents() -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md"))


def _linked_files(source: str) -> set[str]:
    """Return the files outside of docs/ that a document links to and that are no pages."""
    prose = FENCE.sub("", (ROOT / source).read_text("utf-8"))
    paths = {_resolved(source, link) for _, link, _ in LINK.findall(prose)}
    return {
        path
        for path in paths
        if not path.startswith("docs/") and path not in PAGES and os.path.isfile(ROOT / path)
    }


def _listing(path: str) -> str:
    text = (ROOT / path).read_text("utf-8").rstrip()
    language = LANGUAGES.get(Path(path).suffix, "text")
    return f"---\nsearch:\n  exclude: true\n---\n# {path}\n\n````{language}\n{text}\n````\n"


def _text_of(source: str) -> str:
    text = (ROOT / source).read_text("utf-8")
    return _notebook(text) if source.endswith(".ipynb") else text


def _notebook(text: str) -> str:
    """Return a notebook's cells as Markdown, without outputs."""
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(text)["cells"]]
    return "\n\n".join(
        f"```python\n{source}\n```" if kind == "code" else source for kind, source in cells
    )


def _reference(page: str) -> str:
    modules = ROOMS[page]
    if len(modules) == 1:
        shadowed = "".join(f"\n::: {name}\n{SHOWN}" for name in SHADOWED.get(page, ()))
        return f"# {modules[0]}\n\n::: {modules[0]}\n{shadowed}"
    parts = [f"## {one}\n\n::: {one}\n    options:\n      heading_level: 3\n" for one in modules]
    return "\n\n".join([f"# {_title(page)}", *parts])


SHOWN = "    options:\n      show_root_heading: true\n      show_root_toc_entry: true\n"


def _title(page: str) -> str:
    return page if page == "moat" else f"moat.{page}"


def _contents() -> str:
    """Return the first page of the reference: every room with the first line of its docstring."""
    rows = []
    for page in ROOMS:
        place = ROOT / _title(page).replace(".", "/")
        source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        about = source.read_text("utf-8").partition('"""')[2].partition("\n")[0].strip('"')
        rows.append(f"| [{_title(page)}]({page}.md) | {about} |")
    return "\n".join(["# Python reference", "", "| module | |", "| --- | --- |", *rows, ""])

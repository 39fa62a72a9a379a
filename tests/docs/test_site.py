"""The site that `make docs` builds: strict, whole, and without the network when it is read."""

import os
import re
import subprocess
from html.parser import HTMLParser
from importlib import import_module, util
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytest.importorskip("mkdocs", reason="pip install -e '.[dev]' brings it")

ROOT = Path(__file__).parents[2]
MKDOCS = ROOT / ".venv-docs/bin/mkdocs"
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


def load_hooks():
    spec = util.spec_from_file_location("site_pages", ROOT / "scripts/site_pages.py")
    hooks = util.module_from_spec(spec)
    spec.loader.exec_module(hooks)
    return hooks


hooks = load_hooks()


class Links(HTMLParser):
    """What a page fetches, what it links to, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.linked: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        self.anchors |= {named[key] for key in ("id", "name") if named.get(key)}
        if named.get(FETCHED.get(tag, "")):
            self.fetched.append(named[FETCHED[tag]])
        if tag == "a" and named.get("href"):
            self.linked.append(named["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` builds it."""
    if not MKDOCS.exists():
        pytest.skip("`make docs` makes the environment that builds the site")
    folder = tmp_path_factory.mktemp("site")
    call = [MKDOCS, "build", "--strict", "--quiet", "--site-dir", folder]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(call, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the site by its path, with what it fetches and links to."""
    paths = [path for path in site.rglob("*.html") if path.name != "404.html"]
    return {path: Links(path.read_text("utf-8")) for path in paths}


def test_a_page_fetches_nothing_from_the_network(site, pages):
    for path, page in pages.items():
        for url in page.fetched:
            assert not urlsplit(url).netloc, f"{path}: {url}"
            assert (path.parent / unquote(urlsplit(url).path)).exists(), f"{path}: {url}"
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", style.read_text("utf-8"))


def test_every_link_leads_to_a_page_and_an_anchor_of_the_site(pages):
    whole = {path.resolve(): page for path, page in pages.items()}
    for path, page in pages.items():
        for link in page.linked:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            assert target.exists(), f"{path}: {link}"
            if parts.fragment and target in whole:
                anchors = whole[target].anchors | {"__codelineno-0-1"}
                assert unquote(parts.fragment) in anchors, f"{path}: {link}"


@pytest.mark.parametrize("page", hooks.ROOMS)
def test_every_public_name_of_a_room_stands_in_the_reference(page, site, pages):
    anchors = pages[site / f"api/{page}.html"].anchors
    for module in hooks.ROOMS[page]:
        room = import_module(module)
        for name in set(getattr(room, "__all__", ())) - {"__version__"}:
            home = getattr(getattr(room, name), "__module__", module)
            assert {f"{module}.{name}", f"{home}.{name}"} & anchors, name


def test_the_comment_of_a_field_is_its_text_in_the_reference(site):
    text = (site / "api/threats.html").read_text("utf-8")
    assert "Grid units: the image is 2 wide." in text


def test_an_example_is_shown_as_code(site):
    text = (site / "api/fronts.html").read_text("utf-8")
    assert text.count('<span class="gp">&gt;&gt;&gt; </span>') >= 6
    assert "<blockquote>" not in text


def test_the_overview_is_the_readme_and_the_notebook_is_a_page(site):
    assert "What the demo shows" in (site / "index.html").read_text("utf-8")
    assert "found" in (site / "results-notebook.html").read_text("utf-8")
    assert not list(site.rglob("*.ipynb"))


@pytest.mark.parametrize(
    ("source", "uri", "link", "moved"),
    [
        ("README.md", "index.md", "docs/start.md", "start.md"),
        ("README.md", "index.md", "docs/start.md#seeds", "start.md#seeds"),
        ("README.md", "index.md", "docs/images/front.png", "images/front.png"),
        ("README.md", "index.md", "recipes/README.md", "recipes-list.md"),
        ("README.md", "index.md", "LICENSE", "files/LICENSE.md"),
        ("README.md", "index.md", "#the-paper", "#the-paper"),
        ("README.md", "index.md", "https://example.org/a.md", "https://example.org/a.md"),
        ("docs/start.md", "start.md", "../recipes/README.md", "recipes-list.md"),
        ("docs/start.md", "start.md", "../moat/types.py", "files/moat/types.py.md"),
        ("docs/start.md", "start.md", "results.ipynb", "results-notebook.md"),
        ("docs/start.md", "start.md", "figures.md#intervals", "figures.md#intervals"),
        ("recipes/README.md", "recipes-list.md", "../docs/recipes.md", "recipes.md"),
        ("docs/deep/page.md", "deep/page.md", "../start.md", "../start.md"),
    ],
)
def test_a_link_of_the_repository_becomes_one_of_the_site(source, uri, link, moved):
    assert hooks._relinked(f"[x]({link})", source, uri) == f"[x]({moved})"


def test_code_that_looks_like_a_link_is_left_alone():
    text = "```python\nfound[x](docs/start.md)\n```\n"
    assert hooks._relinked(text, "README.md", "index.md") == text

"""What README and the pages say can be done, can be done: links, code, recipes, commands."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from moat.cli.app import app
from moat.study import plan

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
RUN = [
    ROOT / "README.md",
    ROOT / "docs/start.md",
    ROOT / "docs/design.md",
    ROOT / "docs/recipes.md",
    ROOT / "docs/own-loop.md",
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text("utf-8"))


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall(page.read_text("utf-8")) if kind == language]


def anchors(page: Path) -> set[str]:
    """Return the anchors that the headings of a page get."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_relative_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if link.startswith(("https:", "http:", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def script(page: Path) -> str:
    """Return a page's Python blocks, each on the lines where it stands."""
    lines, inside = [], False
    for line in page.read_text("utf-8").splitlines():
        if line.startswith("```"):
            inside = line == "```python"
            lines.append("")
        else:
            lines.append(line if inside else "")
    return "\n".join(lines)


@pytest.mark.parametrize("page", [page for page in RUN if blocks(page, "python")], ids=named)
def test_the_python_blocks_of_a_page_run_one_after_another(page, tmp_path):
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    (tmp_path / "page.py").write_text(script(page), "utf-8")
    # A process of its own, so that no other test meets what is declared here.
    done = subprocess.run(
        [sys.executable, "-W", "error", "page.py"],
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{named(page)}, lines as in page.py:\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", [page for page in RUN if blocks(page, "toml")], ids=named)
def test_the_recipes_of_a_page_hold_together(page, tmp_path):
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    for text in blocks(page, "toml"):
        path = re.match(r"# (recipes/\w+\.toml)\n", text)
        assert path, "the first line of a recipe names its file"
        assert "variant" in tomllib.loads(text)
        (tmp_path / path[1]).write_text(text, "utf-8")
        assert plan(tmp_path / path[1])


def commands(page: Path, program: str) -> list[list[str]]:
    """Return the calls of a program in a page's shell blocks, comments left out."""
    lines = [line for text in blocks(page, "sh") for line in text.replace("\\\n", " ").splitlines()]
    called = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] for words in called if words and words[0] == program]


def cut_at_redirection(words: list[str]) -> list[str]:
    return words[: words.index(">")] if ">" in words else words


MOAT = [
    (named(page), cut_at_redirection(words)) for page in PAGES for words in commands(page, "moat")
]


def commands_below(group: TyperGroup, above: str = "moat") -> Iterator[tuple[str, TyperCommand]]:
    """Yield each command with its full name, those of subcommands after their group."""
    for name, command in group.commands.items():
        yield f"{above} {name}", command
        if isinstance(command, TyperGroup):
            yield from commands_below(command, f"{above} {name}")


COMMANDS = dict(commands_below(typer.main.get_command(app)))


@pytest.mark.parametrize(("page", "words"), MOAT, ids=[" ".join(words) for _, words in MOAT])
def test_a_command_that_is_shown_exists_with_its_options(page, words):
    group = typer.main.get_command(app)
    if words == ["--version"]:
        assert any("--version" in option.opts for option in group.params)
        return
    named = max((n for n in COMMANDS if f"moat {shlex.join(words)} ".startswith(f"{n} ")), key=len)
    given = words[len(named.split()) - 1 :]
    try:
        COMMANDS[named].make_context(named, given)  # parses and checks, runs nothing
    except click.exceptions.ClickException as error:
        pytest.fail(f"{page}: moat {shlex.join(words)}: {error.format_message()}")


def test_the_recipes_that_commands_name_exist_or_are_shown_on_the_page():
    for page in RUN:
        shown = set(re.findall(r"^# (recipes/\w+\.toml)$", page.read_text("utf-8"), re.M))
        for words in commands(page, "moat"):
            for path in (word for word in words if word.startswith("recipes/")):
                assert path in shown or (ROOT / path).is_file(), path


def test_a_page_shows_a_call_of_every_command():
    called = [f"moat {shlex.join(words)} " for _, words in MOAT]
    for name in COMMANDS:
        assert any(call.startswith(f"{name} ") for call in called), name


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_names_each_option_of_a_command(name):
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    options = {option for p in COMMANDS[name].params for option in p.opts}
    for option in options - {"--help"}:
        named = re.search(rf"(?<![\w-]){option}(?![\w-])", text)
        assert named or not option.startswith("--"), f"no page says what {option} does"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_make_is_asked_for_exists(page):
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.M)
    for words in commands(page, "make"):
        assert [word for word in words if "=" not in word] == [words[-1]]
        assert words[-1] in targets

"""The language of messages and of the first lines of modules: a few phrases stay out of both.

CONTRIBUTING.md states the rule; the list holds its most frequent breaches.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"))
    for folder in ("moat", "plugins")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "tests" not in path.parts
}
PHRASES = {
    r"\band no\b": "a float, not a tensor",
    r"\b(?:is|are|was|were) no(?! longer)\b": "is not a tensor; does not exist",
    r"\b(?:no|any|some)body\b|\bwho(?:ever)?\b": "the passive, or the field's noun: the reader",
    r"\bwhat \w+s (?:it|them|the|a)\b": "the training settings, not what trains it",
    r"\bwhat (?:is|are|was|were)\b": "the field's noun",
    r"\bjudg": "evaluate",
    r"\bflatter": "overstate",
    r"\bone (?!from)\w+ an? (?:example|image|batch|class|block|objective|run|time)\b": "for each",
}
"""What no message says, each with a better form."""

EXCEPTIONS: dict[str, str] = {}
"""Messages with a phrase of the list, each with the reason."""

PERSONS = {"moat/consent.py"}
"""Modules whose docstrings are about persons."""

OPENINGS = re.compile(r"(?:What|Who|Whose|Which|Whether|Whatever|Where|When|How)\b")
"""A module's first line is the noun of its content, not a relative clause."""


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_message_has_a_phrase_that_an_editor_strikes(phrase):
    found = [
        f"{file}:{line}: {text}"
        for file, tree in SOURCES.items()
        for line, text in messages(tree)
        if re.search(phrase, text) and text not in EXCEPTIONS
    ]
    assert not found, f"write: {PHRASES[phrase]}"


def test_a_module_is_named_by_its_content():
    first = {
        file: (ast.get_docstring(tree) or "").partition("\n")[0] for file, tree in SOURCES.items()
    }
    assert not {file: line for file, line in first.items() if OPENINGS.match(line)}


def test_a_docstring_begins_with_a_noun_or_a_verb():
    """A boolean alone may begin with "Whether"."""
    found = [
        f"{file}:{node.lineno}: {text}"
        for file, tree in SOURCES.items()
        for node, text in docstrings(tree)
        if OPENINGS.match(text) and not text.startswith("Whether ")
    ]
    assert not found


def test_a_docstring_counts_for_each():
    found = [
        f"{file}:{node.lineno}"
        for file, tree in SOURCES.items()
        for node, text in docstrings(tree)
        if re.search(r"\b(?:an?|one) (?:row|line|column|panel|card|number) an? \w+\b", text)
    ]
    assert not found, "write: a row for each run"


def test_things_are_not_persons():
    found = [
        f"{file}:{node.lineno}"
        for file, tree in SOURCES.items()
        for node, text in docstrings(tree)
        if file not in PERSONS and re.search(r"\bwho(?:m|ever)?\b", text)
    ]
    assert not found, "write: the passive, or the field's noun"


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('raise E(f"the loss is {a!r}, and no " "tensor.")', ["the loss is {}, and no tensor."]),
        ('"""A docstring is no message."""\nx = "an arrow in text"', ["an arrow in text"]),
        ("f(key='one', shape='batch height width')", ["batch height width"]),
    ],
)
def test_a_message_is_a_text_of_three_words_that_is_no_docstring(source, texts):
    assert [text for _, text in messages(ast.parse(source))] == texts


def docstrings(tree: ast.Module) -> Iterator[tuple[ast.Expr, str]]:
    """Yield the texts that are statements: docstrings, and the lines below attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node, text.strip()


def messages(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the texts of three words or more, each with its line; `{}` for what is filled in."""
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    apart = {id(node.value) for node, _ in docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            text = "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = "" if id(node) in inside | apart else node.value
        else:
            continue
        if text.count(" ") >= 2:
            yield node.lineno, text

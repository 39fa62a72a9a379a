"""A table of text, and its forms: for the terminal, Markdown, LaTeX, HTML, CSV and JSON."""

from moat.sheets.csv import csv_of
from moat.sheets.html import HtmlParts, html_of
from moat.sheets.latex import latex_of
from moat.sheets.markdown import escaped, markdown_of
from moat.sheets.narrow import narrowed
from moat.sheets.sheet import FAINT, STRONG, Sheet, blocks, dicts_of
from moat.sheets.terminal import TerminalSheet, terminal_of

__all__ = [
    "FAINT",
    "STRONG",
    "HtmlParts",
    "Sheet",
    "TerminalSheet",
    "blocks",
    "csv_of",
    "dicts_of",
    "escaped",
    "html_of",
    "latex_of",
    "markdown_of",
    "narrowed",
    "terminal_of",
]

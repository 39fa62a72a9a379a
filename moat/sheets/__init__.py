"""A table of text, and its forms: for the terminal, Markdown, LaTeX, CSV and JSON."""

from moat.sheets.csv import csv_of
from moat.sheets.latex import latex_of
from moat.sheets.markdown import escaped, markdown_of
from moat.sheets.sheet import FAINT, STRONG, Sheet, blocks, records_of
from moat.sheets.terminal import TerminalSheet, terminal_of, width_of

__all__ = [
    "FAINT",
    "STRONG",
    "Sheet",
    "TerminalSheet",
    "blocks",
    "csv_of",
    "escaped",
    "latex_of",
    "markdown_of",
    "records_of",
    "terminal_of",
    "width_of",
]

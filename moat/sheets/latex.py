"""A sheet as LaTeX, for a paper: booktabs' rules."""
# ruff: noqa: RUF001 - the signs are what is replaced

import re
from collections.abc import Sequence

from moat.sheets.sheet import STRONG, Sheet

_SIGNS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "→": r"$\rightarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": r"$-$",
    "●": r"$\bullet$",
    "ε": r"$\varepsilon$",
    "ρ": r"$\rho$",
    "σ": r"$\sigma$",
    "…": r"\ldots{}",
}
_SPECIAL = re.compile("|".join(map(re.escape, _SIGNS)))
_NEGATIVE = re.compile(r"(?<![\w-])-(?=\d)")


def latex_of(sheet: Sheet) -> str:
    r"""Return a table environment: caption and booktabs' tabular; below it the notes as comments.

    The first cell of a strong row is bold. The document needs `\usepackage{booktabs}`; letters
    beyond Latin ones need an engine that reads Unicode.
    """
    columns = "".join("l" if side == "l" else "r" for side in sheet.sides)
    lines = [r"\begin{table}", r"  \centering"]
    if sheet.title:
        lines.append(rf"  \caption{{{in_latex(sheet.title)}}}")
    lines += [rf"  \begin{{tabular}}{{{columns}}}", r"    \toprule"]
    headings = [
        " ".join(filter(None, (heading, sheet.mark_of(place))))
        for place, heading in enumerate(sheet.headings)
    ]
    lines += [f"    {_row(headings, strong=False)}", r"    \midrule"]
    for place, row in enumerate(sheet.rows):
        if place in sheet.sections:
            lines.append(r"    \midrule")
        lines.append(f"    {_row(row, strong=sheet.emphasis_of(place) == STRONG)}")
    lines += [r"    \bottomrule", r"  \end{tabular}"]
    notes = [f"% {' '.join(note.split())}" for note in sheet.notes]
    return "\n".join([*lines, r"\end{table}", *notes])


def in_latex(text: str) -> str:
    r"""Return text that LaTeX sets as it stands, with a minus before negative numbers.

    Example:
        >>> print(in_latex("50 % -> r_max = -0.5"))
        50 \% -\textgreater{} r\_max = $-$0.5
    """
    told = _NEGATIVE.sub("−", " ".join(text.split()))
    return _SPECIAL.sub(lambda sign: _SIGNS[sign[0]], told)


def _row(cells: Sequence[str], *, strong: bool) -> str:
    first, *others = map(in_latex, cells)
    return " & ".join([rf"\textbf{{{first}}}" if strong and first else first, *others]) + r" \\"

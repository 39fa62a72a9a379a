"""The page's tables: scores with the seeds together, every single run, a run's own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from markupsafe import Markup

from moat.records import Check
from moat.report.differences import differences_note, differences_sheet
from moat.report.front.front import Front
from moat.report.front.objectives import OUT_OF_REACH
from moat.report.gate import worst_verdict
from moat.report.interactive.front import standing
from moat.report.numbers import DASH, as_printed, decimals, gap, percent
from moat.report.points import Point
from moat.report.rows import Row
from moat.report.scores.scoreboard import Scoreboard, board_values
from moat.report.scores.sheets import guess_words
from moat.report.settings import rows_in
from moat.sheets import STRONG, HtmlParts, Sheet, html_of

_ON_FRONT = '<span aria-hidden="true">●</span><span class="visually-hidden">on the front</span>'
_RIVAL = Markup(
    '<span aria-hidden="true">&lt; </span><span class="visually-hidden">dominated by </span>'
    '<a href="#run-{}">{}</a>'
)
_SIGNS = {"pass": "✓", "warn": "!", "fail": "✗"}
_Shown = dict[tuple[int, int], str]
_Values = dict[tuple[int, int], float | None]


def board_table(board: Scoreboard, front: Front, numbers: Mapping[str, int]) -> Markup:
    """Return a line for each column of a scoreboard, each a setting of the front.

    It is a scoreboard turned about, so that scores can be sorted. A published figure and the
    difference stand below a score.
    """
    places = {setting.first.where: place for place, setting in enumerate(front.settings)}
    figures = [c.published for cells in board.cells.values() for c in cells]
    digits = decimals([figure for figure in figures if figure is not None])
    seeds = any(len(column.rows) > 1 for column in board.columns)
    rows: list[tuple[str, ...]] = []
    shown, values = _Shown(), _Values()
    for line, column in enumerate(board.columns):
        place = places[column.first.where]
        cells = [of_score[line] for of_score in board.cells.values()]
        rival = front.dominated_by[place]
        other = None if rival is None else front.settings[rival]
        runs = ", ".join(str(point.seed) for point in column.points)
        texts = [column.name, runs, *["" if other is None else other.name] * seeds]
        shown[line, 0] = _guess(column.name, " ".join(guess_words(column)))
        shown[line, 1] = _cards(column.name, column.points, numbers, seeds=seeds)
        if seeds:
            shown[line, 2] = _standing(
                None if other is None else (numbers[other.first.where], other.name)
            )
        for at, cell in enumerate(cells, len(texts)):
            values[line, at] = cell.mean
            if cell.published is not None:
                figure = as_printed(cell.published, digits), gap(cell.difference)
                shown[line, at] = _PUBLISHED.format(cell.text, *figure)
        rows.append((*texts, *(cell.text for cell in cells)))
    headings = ["run", "seeds" if seeds else "card", *["front"] * seeds]
    captions = [_SEEDS] * seeds + [_BELOW] * any(f is not None for f in figures)
    sheet = Sheet(
        headings=(*headings, *board.cells),
        rows=tuple(rows),
        sides="l" * len(headings) + "r" * len(board.cells),
    )
    return html_of(sheet, _sortable("board", captions, shown, values, unsorted=frozenset({1})))


def differences_html(board: Scoreboard) -> Markup:
    """Return a line for each column but the baseline: its paired differences, sortable."""
    found = board.differences
    if found is None:
        return Markup("")
    sheet = differences_sheet(found, board.columns)
    shown = [found.beside(column) for column in board.columns]
    values: _Values = {
        (line, at): None if of is None else of.value
        for line, beside in enumerate(filter(None, shown))
        for at, of in enumerate(beside.values(), 1)
    }
    caption = Markup("{}").format(differences_note(found))
    return html_of(replace(sheet, notes=()), _sortable("differences", [caption], {}, values))


def runs_table(front: Front, numbers: Mapping[str, int]) -> Markup:
    """Return a line for each run of a front; of several seeds no run bears its mark."""
    runs, several = rows_in(front.settings), front.several_seeds
    scores = [board_values(row) for row in runs]
    shared = any(of_run[OUT_OF_REACH] is not None for of_run in scores)
    names = [name for name in scores[0] if name != OUT_OF_REACH or shared]
    rows: list[tuple[str, ...]] = []
    shown, values = _Shown(), _Values()
    for line, (row, of_run) in enumerate(zip(runs, scores, strict=True)):
        rival = front.runs_dominated_by[row.point.where]
        gate = worst_verdict(row.point) or DASH
        by = None if rival is None else (numbers[rival.point.where], rival.name)
        shown[line, 0] = Markup('<a href="#run-{}">{}</a>').format(
            numbers[row.point.where], row.name
        )
        shown[line, 1] = "by none" if several and rival is None else _standing(by)
        shown[line, 2 + len(names)] = verdict_html(gate)
        values |= {(line, at): of_run[name] for at, name in enumerate(names, 2)}
        texts = [percent(of_run[name]) for name in names]
        rows.append((row.name, "" if rival is None else rival.name, *texts, gate))
    sheet = Sheet(
        headings=("run", "dominated" if several else "front", *names, "gate"),
        rows=tuple(rows),
        sides="ll" + "r" * len(names) + "l",
        emphasis=tuple("" if several or by else STRONG for _, by, *_ in rows),
    )
    return html_of(sheet, _sortable("runs", [_DOMINATED if several else _FRONT], shown, values))


def checks_table(name: str, checks: Sequence[Check]) -> Markup:
    """Return a line for each check of a run's sanity gate."""
    sheet = Sheet(
        headings=("check", "verdict", "finding"),
        rows=tuple((check.name, check.verdict, check.text) for check in checks),
        sides="lll",
    )
    caption = Markup("Sanity gate of {}: the credibility of its numbers").format(name)
    shown = {(row, 1): verdict_html(check.verdict) for row, check in enumerate(checks)}
    return html_of(sheet, HtmlParts(caption, unseen=True, classes="gate", shown=shown))


def run_scores_table(name: str, rows: Sequence[tuple[str, ...]]) -> Markup:
    """Return a line for each threat of a run: its accuracy at each strength, then its scores."""
    headings = ("threat", "accuracy at each strength", "score", "worst", "conditional")
    sheet = Sheet(headings, tuple(rows), "llrrr")
    return html_of(sheet, HtmlParts(Markup("Scores of {} by threat").format(name), unseen=True))


def run_standing(front: Front, place: int, row: Row) -> str:
    """Return whether a run is on the front; of several seeds where it and its setting stand."""
    seeds = len(front.settings[place].rows)
    if seeds == 1:
        return standing(front, place)
    rival = front.runs_dominated_by[row.point.where]
    own = "no other run dominates it" if rival is None else f"dominated by {rival.name}"
    return f"{own}; its setting, the mean of {seeds} seeds, is {standing(front, place)}"


def verdict_html(name: str) -> Markup:
    """Return a verdict of the gate with its sign, "-" of a run without one."""
    return Markup('<span class="verdict {}"><span aria-hidden="true">{}</span> {}</span>').format(
        name.replace(" ", "-"), _SIGNS.get(name, "\N{EN DASH}"), "no gate" if name == DASH else name
    )


def _sortable(
    kind: str,
    captions: Sequence[str],
    shown: _Shown,
    values: _Values,
    unsorted: frozenset[int] = frozenset(),
) -> HtmlParts:
    caption = f"<span>{' '.join([*captions, 'Click a heading to sort.'])}</span>"
    return HtmlParts(
        caption,
        classes=f"sortable {kind}",
        shown=shown,
        values=values,
        sortable=True,
        unsorted=unsorted,
    )


def _standing(rival: tuple[int, str] | None) -> str:
    return _ON_FRONT if rival is None else _RIVAL.format(*rival)


def _guess(name: str, words: str) -> Markup:
    mark = Markup(' <strong class="guess">{}</strong>').format(words) if words else ""
    return Markup("{}{}").format(name, mark)


def _cards(
    name: str, points: Sequence[Point], numbers: Mapping[str, int], *, seeds: bool
) -> Markup:
    """Return a link to the card of each run, under its seed where a line has several."""
    links = [
        _CARD.format(numbers[p.where], name, p.seed, p.seed if seeds else "open") for p in points
    ]
    return Markup('<span class="seeds">{}</span>').format(Markup("").join(links))


_CARD = Markup('<a href="#run-{}" aria-label="Card of {}, seed {}">{}</a> ')
_PUBLISHED = Markup(
    '{}<small>{} <span class="visually-hidden">published, difference</span> ({})</small>'
)
_SEEDS = (
    "Scores are means over seeds; [low, high]: the 95&nbsp;% interval over test examples and "
    "seeds, from three seeds on. Front: ● no other setting dominates it; otherwise, a setting "
    "that does."
)
_BELOW = "Below a score: the published figure and the difference, ours less theirs."
_DOMINATED = (
    "Dominated: another run that dominates it; the table above shows the front of settings. "
    "Gate: the worst verdict of its checks."
)
_FRONT = (
    "Front: ● no other run dominates it; otherwise, a run that does. Gate: the worst verdict of "
    "its checks."
)

"""The page from its sections: one HTML file that needs no network."""

import base64
import gzip
import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from moat.errors import DiskError, FrontError
from moat.paths import require_path
from moat.plain import json_of
from moat.report.front.front import Front, fronts_of
from moat.report.page.analyses import analysis_figures
from moat.report.page.sections import Section, sections_of
from moat.report.points import NOT_FINISHED
from moat.report.scores.scoreboard import ScoreReport
from moat.runs import as_typed, require_folder_of
from moat.storage import disk, encoded, hash_of, locked_folder, naming, replace, sweep
from moat.version import __version__

_HERE = Path(__file__).parent
_END = "</html>"
_SIGNATURE = re.compile(r"<!-- moat [0-9a-f]{64} -->\n(?=</html>$)")


def write_page(
    made: ScoreReport,
    results: Path,
    file: Path,
    fronts: Sequence[Front] | None = None,
    told: Callable[[str], object] | None = None,
) -> Path:
    """Write the page of these scoreboards, whose runs lie below `results`, and return its path.

    `fronts` are theirs, one a scoreboard, where they are more than the usual ones. A file that is
    there is replaced if it is a page of moat's that nobody changed; DiskError else. `told` hears
    of each file of a run that could not be read, and is left out.
    """
    if require_path(file).is_dir():
        raise FrontError("it is a folder.", where=str(file), hint="Name a file: --html report.html")
    require_folder_of(file, FrontError)
    text, problems = page_of(made, results, fronts)
    page = signed(text)
    if told:
        for problem in problems:
            told(problem)
    with naming("--html"), locked_folder(file.parent):
        if (file.exists() or file.is_symlink()) and not is_page(file):
            raise DiskError(
                "cannot write: the file there is not a moat page, or was changed since.",
                where=str(file),
                hint="It was left as it is. Move it away, or name another file with --html.",
            )
        sweep(file.parent, [file.name])
        replace(file, encoded(page))
    return file


def signed(page: str) -> str:
    """Return a page that ends with the digest of all else in it, as a comment."""
    body, end, _ = page.rpartition(_END)
    return f"{body}<!-- moat {hash_of(page.encode())} -->\n{end}"


def is_page(file: Path) -> bool:
    """Say whether a file is a page as it was written."""
    with disk(file):
        content = file.read_bytes().decode("utf-8", "replace") if file.is_file() else ""
    return bool(content) and signed(_SIGNATURE.sub("", content)) == content


def page_of(
    made: ScoreReport, results: Path, fronts: Sequence[Front] | None = None
) -> tuple[str, list[str]]:
    """Return the page as text, and what of its runs could not be read.

    The same runs give the same page.
    """
    fronts = fronts_of([board.group for board in made.boards])[0] if fronts is None else fronts
    sections, pictures = sections_of(made.boards, fronts, results)
    plotly = _plotly()
    analyses, problems = analysis_figures(results)
    problems += [p for section in sections for card in section.cards for p in card.problems]
    script, style = ((_HERE / f"page.{kind}").read_text("utf-8") for kind in ("js", "css"))
    waiting = [text for text in made.messages if NOT_FINISHED in text]
    page = (
        _environment()
        .get_template("page.html.jinja")
        .render(
            title=", ".join(dict.fromkeys(s for one in sections for s in one.group.studies)),
            results=as_typed(str(results)),
            sections=sections,
            messages=[*(text for text in made.messages if text not in waiting), *problems],
            waiting=[text.removeprefix("skipped: ") for text in waiting],
            version=__version__,
            versions=_versions(sections),
            policy=_policy(script, plotly),
            style=style,
            script=script,
            plotly=_packed(plotly),
            pictures=pictures,
            analyses=analyses,
        )
    )
    return page, problems


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # `tojson` escapes <, > and & besides, so no text of a run ends a script element.
    environment.policies["json.dumps_function"] = json_of
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    return environment


def _plotly() -> str:
    from plotly.offline import get_plotlyjs  # 5 MB of text that only a page needs

    text: str = get_plotlyjs()
    return text


def _packed(script: str) -> str:
    """Return a script as the page carries it, 2.5 times smaller: gzip, then base64."""
    return base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode()


def _policy(*scripts: str) -> str:
    """Return a content security policy: these scripts alone may run, and nothing is fetched."""
    digests = (base64.b64encode(sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


def _versions(sections: list[Section]) -> list[str]:
    """Return the versions of moat that the runs were made with."""
    found = {
        card.version: None
        for section in sections
        for card in section.cards
        if card.version is not None
    }
    return sorted(found)

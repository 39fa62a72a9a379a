"""Logs as training would leave them, and a real browser."""

import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from moat.report import make_scoreboards
from moat.report.page import page_of, write_page
from moat.runs import RunFolder

ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def write_log(
    run: RunFolder, lines: int, names: Sequence[str] = ("natural", "pgd", "flow")
) -> None:
    """Write a log of so many steps, some clamped, with a validation now and then."""
    text = []
    for step in range(1, lines + 1):
        share = {name: 1 / len(names) for name in names}
        loss = {name: (1 + n) * math.exp(-step / lines) for n, name in enumerate(names)}
        clamped = lines / 4 < step < lines / 2
        record: dict[str, Any] = {"step": step, "loss": loss, "weight": share, "clamped": clamped}
        text.append(json.dumps(record))
        if step % max(1, lines // 10) == 0:
            held_out = dict.fromkeys(names, 100 * step / lines)
            text.append(json.dumps({"step": step, "validation": held_out}))
    (run.path / "log.jsonl").write_text("\n".join(text) + "\n", "utf-8")


@pytest.fixture
def log() -> Callable[..., None]:
    return write_log


@pytest.fixture
def page() -> Callable[[Path], str]:
    """Return the page of a results folder as text."""
    return lambda results: page_of(make_scoreboards(results), results)[0]


@pytest.fixture
def rich_study(study: Path, gallery: Any, hang: Any) -> Path:
    """The study of fourteen runs, each with a log, two of them with a gallery."""
    for number, path in enumerate(sorted(study.rglob("run.json"))):
        run = RunFolder(path.parent)
        write_log(run, 40)
        if number < 2:
            hang(run, gallery(seed=number))
    return study


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser without a network, closed whatever happens; skips where none is installed."""
    selenium = pytest.importorskip("selenium")
    binary = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if not (binary and driver):
        pytest.skip("no chromium with chromedriver is installed: apt-get install chromium-driver")
    assert selenium
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = binary
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.add_argument("--window-size=1280,1000")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options=options, service=ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open the page of a results folder; at the end nothing may stand in the console."""
    from selenium.webdriver.support.ui import WebDriverWait

    def is_ready(browser: Any) -> bool:
        return browser.execute_script("return document.documentElement.dataset.ready") == "yes"

    def open_page(results: Path, width: int = 1280, height: int = 1000) -> Any:
        (tmp_path / "page").mkdir(exist_ok=True)
        file = write_page(make_scoreboards(results), results, tmp_path / "page" / "report.html")
        chromium.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        chromium.execute_cdp_cmd("Network.enable", {})
        chromium.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
        )
        chromium.get(file.as_uri())
        WebDriverWait(chromium, 60).until(is_ready)
        return chromium

    yield open_page
    assert chromium.get_log("browser") == []
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

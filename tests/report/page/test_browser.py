"""The page in a real browser, from a local file, without a network."""

import html
import time

import pytest

from moat.report import make_scoreboards
from moat.runs import RunFolder

pytest.importorskip("selenium", reason="selenium drives the browser; the extra `dev` installs it")

from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

POINT = ".plot.front .scatterlayer .trace .point"
ROWS = (
    "return [...document.querySelectorAll('.runs tbody tr')]"
    ".map(row => [...row.children].map(cell => cell.textContent))"
)
CELLS = "return [...document.querySelectorAll('{} tbody tr')].map(r => r.children[{}].textContent)"


def all_of(browser, selector):
    return browser.find_elements(By.CSS_SELECTOR, selector)


def one_of(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector)


def until(browser, condition):
    return WebDriverWait(browser, 20).until(condition)


def shown(browser, element):
    """Bring an element into view at once, where a mouse can reach it."""
    browser.execute_script(
        "arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", element
    )
    return element


def names_of(results):
    """Return the runs' names by the numbers of their cards."""
    return [row.name for board in make_scoreboards(results).boards for row in board.rows]


def point_of(browser, name):
    """Return the mark of a run: marks stand in the order of their traces' data."""
    said = browser.execute_script(
        "return document.querySelector('.plot.front').data.flatMap(t => t.hovertext ?? [])"
    )
    (place,) = (
        n for n, text in enumerate(said) if html.unescape(text).startswith(f"<b>{name}</b>")
    )
    return all_of(browser, POINT)[place]


def opened_card(browser, number):
    """Open a card and wait until its plots are drawn."""
    card = one_of(browser, f"#run-{number}")
    browser.execute_script("arguments[0].open = true", card)
    plots = len(card.find_elements(By.CSS_SELECTOR, ".plot"))
    until(browser, lambda _: len(card.find_elements(By.CSS_SELECTOR, ".js-plotly-plot")) == plots)
    return card


def test_every_run_is_a_point_and_no_address_is_asked_for(opened, rich_study):
    browser = opened(rich_study)
    assert len(all_of(browser, POINT)) == len(names_of(rich_study)) == 14
    entries = browser.execute_script(
        "return performance.getEntriesByType('resource').map(e => e.name)"
    )
    assert [name for name in entries if not name.startswith(("data:", "blob:"))] == []


@pytest.mark.parametrize("run", [0, 5, 13])
def test_the_mouse_over_a_point_shows_its_run(opened, rich_study, run):
    browser = opened(rich_study)
    shown(browser, one_of(browser, ".plot.front"))
    name = names_of(rich_study)[run]
    ActionChains(browser).move_to_element(point_of(browser, name)).perform()
    first, *lines = until(browser, lambda b: all_of(b, ".plot.front .hoverlayer tspan.line"))
    assert first.text == name
    scores = dict(line.text.split(": ") for line in lines if ": " in line.text)
    (cells,) = (row for row in browser.execute_script(ROWS) if row[0] == name)
    assert scores["natural"] == cells[2]


def test_a_click_on_a_point_opens_its_card(opened, rich_study):
    browser = opened(rich_study)
    shown(browser, one_of(browser, ".plot.front"))
    ActionChains(browser).move_to_element(point_of(browser, names_of(rich_study)[7])).pause(
        0.3
    ).click().perform()
    until(browser, lambda b: one_of(b, "#run-7").get_attribute("open"))
    assert [card.get_attribute("id") for card in all_of(browser, ".card[open]")] == ["run-7"]


def test_a_run_is_opened_from_the_table_with_the_keyboard(opened, rich_study):
    browser = opened(rich_study)
    one_of(browser, '.runs a[href="#run-3"]').send_keys(Keys.ENTER)
    until(browser, lambda b: one_of(b, "#run-3").get_attribute("open"))
    assert browser.execute_script("return document.activeElement.parentElement.id") == "run-3"


def test_the_address_of_a_card_opens_it(opened, rich_study):
    browser = opened(rich_study)
    browser.execute_script("location.hash = '#run-4'")
    until(browser, lambda b: one_of(b, "#run-4").get_attribute("open"))


@pytest.mark.parametrize("table", [".board", ".runs"])
def test_a_table_sorts_by_click_and_by_key_and_says_so(opened, rich_study, table):
    browser = opened(rich_study)
    heads = all_of(browser, f"{table} thead th")
    place = [head.text.split()[0] for head in heads].index("pgd")
    button = shown(browser, heads[place].find_element(By.TAG_NAME, "button"))

    def column():
        return [float(text) for text in browser.execute_script(CELLS.format(table, place))]

    assert column() != sorted(column(), reverse=True)
    button.click()
    assert column() == sorted(column(), reverse=True)
    assert heads[place].get_attribute("aria-sort") == "descending"
    button.send_keys(Keys.ENTER)
    assert column() == sorted(column())
    assert heads[place].get_attribute("aria-sort") == "ascending"
    assert one_of(browser, "#said").get_attribute("textContent") == "Sorted by pgd, ascending."
    heads[0].find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
    assert [heads[n].get_attribute("aria-sort") for n in (0, place)] == ["ascending", "none"]


def test_what_is_absent_is_sorted_last_both_ways(opened, tmp_path, write):
    for variant, clamped in (("natural", None), ("low", 0.1), ("high", 0.9)):
        write(tmp_path / "r" / variant, variant, 90, (10, 20, 30, 40), clamped=clamped)
    browser = opened(tmp_path / "r")
    heads = all_of(browser, ".runs thead th")
    place = len(heads) - 2
    button = shown(browser, heads[place].find_element(By.TAG_NAME, "button"))
    for expected in (["90.0", "10.0", "-"], ["10.0", "90.0", "-"]):
        button.click()
        assert browser.execute_script(CELLS.format(".runs", place)) == expected


def test_a_card_has_its_plots_its_numbers_and_its_images(opened, rich_study):
    browser = opened(rich_study)
    numbers = {name: place for place, name in enumerate(names_of(rich_study))}
    card = opened_card(browser, numbers["average-at"])
    kinds = [p.get_attribute("data-kind") for p in card.find_elements(By.CSS_SELECTOR, ".plot")]
    assert kinds == ["losses", "weights", "validation", "steps"]
    images = card.find_elements(By.CSS_SELECTOR, ".gallery img")
    assert len(images) == 6 * (1 + 4 + 1)  # natural, four threats, the difference of pgd
    until(browser, lambda b: b.execute_script("return arguments[0].every(i => i.complete)", images))
    assert {browser.execute_script("return arguments[0].naturalWidth", i) for i in images} == {32}
    assert all(image.get_attribute("alt") for image in images)
    drawn = browser.execute_script(
        "return [...arguments[0].querySelectorAll('.arrows .over')].map(p => p.getAttribute('d'))",
        card,
    )
    assert len(drawn) == 6 * 3
    assert all(path.count("M") == 64 for path in drawn)
    numbers_of_losses = card.find_element(By.CSS_SELECTOR, ".numbers[data-kind=losses] summary")
    shown(browser, numbers_of_losses).click()
    until(browser, lambda _: len(card.find_elements(By.CSS_SELECTOR, ".numbers tbody tr")) == 40)


def test_arrows_or_a_grid_or_nothing_is_drawn_over_moved_images(opened, rich_study):
    browser = opened(rich_study)
    numbers = {name: place for place, name in enumerate(names_of(rich_study))}
    card = opened_card(browser, numbers["average-at"])
    over = {
        kind: card.find_element(By.CSS_SELECTOR, f".gallery .{kind} .over")
        for kind in ("arrows", "mesh")
    }
    for choice, expected in (
        ("grid", (False, True)),
        ("nothing", (False, False)),
        ("arrows", (True, False)),
    ):
        shown(browser, card.find_element(By.CSS_SELECTOR, f"input[value={choice}]")).click()
        assert tuple(path.is_displayed() for path in over.values()) == expected


def test_all_cards_open_and_close_at_once(opened, rich_study):
    browser = opened(rich_study)
    for action, count in (("open", 14), ("close", 0)):
        shown(browser, one_of(browser, f"[data-cards={action}]")).click()
        until(browser, lambda b, n=count: len(all_of(b, ".card[open]")) == n)
    until(browser, lambda b: len(all_of(b, ".card .js-plotly-plot")) == 14 * 4)


def test_a_lone_run_is_open(opened, tmp_path, write):
    write(tmp_path / "r" / "natural", "natural", 90, (10, 20, 30, 40))
    browser = opened(tmp_path / "r")
    until(browser, lambda b: len(all_of(b, "#run-0[open] .js-plotly-plot")) == 1)


def test_a_dark_scheme_turns_page_and_plots(opened, rich_study):
    browser = opened(rich_study)
    paper = "return getComputedStyle(document.body).backgroundColor"
    ink = "return document.querySelector('.plot.front').layout.font.color"
    before = browser.execute_script(paper), browser.execute_script(ink)
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    until(browser, lambda b: b.execute_script(ink) != before[1])
    after = browser.execute_script(paper), browser.execute_script(ink)
    assert (before, after) == (
        ("rgb(255, 255, 255)", "#1b1b1f"),
        ("rgb(21, 22, 26)", "#ececf1"),
    )


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_but_the_tables_scrolls_sideways(opened, rich_study, width):
    browser = opened(rich_study, width)
    opened_card(browser, 1)
    time.sleep(0.3)  # plots follow the width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    box, table = browser.execute_script(
        "const table = document.querySelector('.runs');"
        "return [table.parentElement.clientWidth, table.scrollWidth]"
    )
    assert (table > box) == (width == 360)


def test_on_paper_open_cards_have_black_plots_and_notes_are_read(opened, rich_study):
    browser = opened(rich_study)
    opened_card(browser, 1)
    state = (
        "const plot = document.querySelector('#run-1 .plot');"
        "const { font, width } = plot.layout;"
        "return [document.querySelector('.notes').open, font.color, width ?? 0]"
    )
    before = browser.execute_script(state)
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert browser.execute_script(state) == [True, "#000000", 335]
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    after = browser.execute_script(state)
    assert (after[0], after[1]) == (before[0], before[1]) == (False, "#1b1b1f")
    assert len(browser.execute_cdp_cmd("Page.printToPDF", {})["data"]) > 10_000


def test_text_of_a_run_is_text(hang, opened, tmp_path, write, gallery):
    name = "<b>x<b><img src=x onerror=alert(1)>\"'<script>"
    run = write(tmp_path / "r" / "one", name, 90, (10, 20, 30, 40))
    write(tmp_path / "r" / "two", "natural", 95, (1, 2, 3, 4))
    hang(run, gallery(2, 1, 8, classes=("<i>a</i>", "b&amp;\u2028")))
    browser = opened(tmp_path / "r")
    place = names_of(tmp_path / "r").index(name)
    card = opened_card(browser, place)
    assert card.find_element(By.TAG_NAME, "h4").text == name
    assert card.find_element(By.CSS_SELECTOR, ".gallery tbody th").text.startswith("<i>a</i>")
    assert all_of(browser, "h4 b, th b, th i, td i, img[src=x]") == []
    shown(browser, one_of(browser, ".plot.front"))
    ActionChains(browser).move_to_element(point_of(browser, name)).perform()
    hover = until(browser, lambda b: one_of(b, ".plot.front .hoverlayer").text)
    assert hover.startswith(name)


def test_a_run_without_gallery_says_which_command_makes_it(opened, study):
    browser = opened(study)
    card = opened_card(browser, 0)
    run = RunFolder(study / "natural" / "plain" / "seed-0")
    assert f"moat evaluate {run.path}" in card.text

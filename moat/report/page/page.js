"use strict";
/* Draws the front, and each card's plots and pictures when it is opened. Figures and data come from the page's own JSON;
   text of a run enters the document by textContent alone, and plots escaped, for plotly reads a little HTML. */
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const touch = matchMedia("(pointer: coarse)");
  const parsed = new Map();
  const drawn = new Set(); // every plot on the page
  let printing = false;

  const byId = (id) => document.getElementById(id);
  const json = (id) => {
    if (!parsed.has(id)) parsed.set(id, JSON.parse(byId(id).textContent));
    return parsed.get(id);
  };
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const say = (text) => { byId("said").textContent = text; };

  // Plotly comes compressed; its script runs because the page's policy names its digest.

  const plotly = (async () => {
    const bytes = Uint8Array.from(atob(json("plotly")), (character) => character.charCodeAt(0));
    const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    document.head.append(make("script", { textContent: await new Response(unpacked).text() }));
    parsed.delete("plotly");
    return window.Plotly;
  })();

  const theme = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => (printing ? { ink: "#000000", soft: "#444444", grid: "#dddddd", paper: "#ffffff" }[name]
      : style.getPropertyValue(`--${name}`).trim());
    return { ink: colour("ink"), soft: colour("soft"), grid: colour("grid"), paper: colour("paper") };
  };

  // Figures come from moat as they are for a notebook; here their colours follow the page's.

  const dress = ({ data, layout }) => {
    const { ink, soft, grid, paper } = theme();
    const night = dark.matches && !printing;
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.font.color = ink;
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: soft, activecolor: ink };
    Object.assign(layout.hoverlabel, { bgcolor: paper, bordercolor: soft, font: { color: ink } });
    for (const axis of [layout.xaxis, layout.yaxis]) {
      Object.assign(axis, { gridcolor: grid, zerolinecolor: grid, linecolor: soft });
    }
    for (const arrow of layout.annotations ?? []) arrow.arrowcolor = ink;
    for (const trace of data) {
      for (const [key, colour] of Object.entries(trace.meta)) { // "ink", "soft", or [light, dark]
        const path = key.split(".");
        const held = path.slice(0, -1).reduce((table, name) => table[name], trace);
        held[path.at(-1)] = typeof colour === "string" ? { ink, soft }[colour] : colour[Number(night)];
      }
    }
  };

  const draw = async (element, { data, layout }, buttons = false) => {
    const { newPlot } = await plotly;
    dress({ data, layout });
    layout.dragmode = touch.matches ? false : "zoom";
    await newPlot(element, data, layout, {
      responsive: true, displaylogo: false, displayModeBar: buttons,
      modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
    });
    drawn.add(element);
  };

  const rethemed = () => {
    for (const element of drawn) {
      dress(element);
      window.Plotly.redraw(element);
    }
  };
  dark.addEventListener("change", rethemed);

  const drawFront = async (element) => {
    await draw(element, json(`front-data-${element.dataset.front}`), true);
    element.on("plotly_click", ({ points: [point] }) => {
      if (point.customdata !== undefined) openCard(byId(`run-${point.customdata}`));
    });
  };

  // A card's plots, each with its numbers as a table: a line a step, or a line a threat and strength.

  const plain = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const rowsOf = ({ data, layout }) => {
    const told = data.filter(({ customdata }) => customdata);
    if (told.length) {
      return [["threat", "strength", "accuracy"],
        told.flatMap(({ name, customdata, y }) => customdata.map((at, place) => [plain(name), at, y[place]]))];
    }
    return [[layout.xaxis.title.text, ...data.map(({ name }) => plain(name))],
      data[0].x.map((at, place) => [at, ...data.map(({ y }) => y[place])])];
  };
  const tabulate = (element, figure) => {
    const [names, rows] = rowsOf(figure);
    const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col", textContent: name })));
    const body = rows.map((row) => make("tr", {}, ...row.map((value, place) => make(place ? "td" : "th", {
      textContent: value ?? "–", ...(place ? {} : { scope: "row" }),
    }))));
    const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
    element.append(make("div", { className: "scroll", tabIndex: 0 }, table));
  };

  const fill = (card) => {
    if (card.dataset.filled) return;
    card.dataset.filled = "yes";
    const { figures, gallery } = json(`run-data-${card.dataset.run}`);
    for (const element of card.querySelectorAll(".plot")) draw(element, figures[element.dataset.kind]);
    for (const element of card.querySelectorAll(".numbers")) {
      element.addEventListener("toggle", () => tabulate(element, figures[element.dataset.kind]), { once: true });
    }
    const hung = card.querySelector(".gallery");
    if (hung) hang(hung, gallery, card.dataset.run);
  };

  // The gallery.

  const SVG = "http://www.w3.org/2000/svg";
  const svg = (tag, attributes, ...children) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const both = (kind, path, extra = []) => svg("g", { class: kind },
    svg("path", { class: "under", d: path, "stroke-width": 16 }),
    svg("path", { class: "over", d: path, "stroke-width": 7 }), ...extra);
  const overlay = ({ across, down }, offsets) => {
    const read = (row, column) => {
      const at = 2 * (row * across.length + column);
      const [x, y] = [offsets[at], offsets[at + 1]];
      return x === null || y === null ? null : [across[column] + x, down[row] + y];
    };
    const path = (points) => points.map((point, place) => {
      if (!point) return "";
      return `${place && points[place - 1] ? "L" : "M"}${point}`;
    }).join("");
    const rows = down.map((_, row) => across.map((__, column) => read(row, column)));
    const columns = across.map((_, column) => down.map((__, row) => read(row, column)));
    const moved = rows.flatMap((line, row) => line.map((from, column) => [from, [across[column], down[row]]]))
      .filter(([from]) => from);
    const arrows = moved.map(([from, to]) => `M${from}L${to}`).join("");
    const tips = moved.map(([, [cx, cy]]) => svg("circle", { class: "tip", cx, cy, r: 11 }));
    return svg("svg", { viewBox: "0 0 1000 1000", preserveAspectRatio: "none", "aria-hidden": "true" },
      both("mesh", [...rows, ...columns].map(path).join("")), both("arrows", arrows, tips));
  };
  const picture = ({ reduced }, place, alt, ...over) => make("div",
    { className: reduced ? "picture smooth" : "picture" }, make("img", { src: json("pictures")[place], alt }), ...over);
  const verdict = ({ predicted, right }) => make("span", {
    className: `said ${right ? "right" : "wrong"}`, textContent: right ? `✓ ${predicted}` : `✗ ${predicted} (wrong)`,
  });
  const row = (gallery, image) => {
    const told = (made) => `predicted ${made.predicted}, ${made.right ? "right" : "wrong"}`;
    const cells = image.threats.map((made, place) => {
      const { name, strength, factor } = gallery.threats[place];
      const alt = `Image ${image.id} under ${name} at ${strength}: ${told(made)}`;
      if (made.difference === undefined) {
        return make("td", {}, picture(gallery, made.image, alt, overlay(gallery, made.offsets)), verdict(made));
      }
      const change = `Difference to the natural image, ${factor} times amplified`;
      return make("td", {},
        picture(gallery, made.image, alt), verdict(made), picture(gallery, made.difference, change));
    });
    return make("tr", {},
      make("th", { scope: "row" }, image.label, make("small", { className: "said", textContent: `image ${image.id}` })),
      make("td", {}, picture(gallery, image.image, `Image ${image.id} as it is: ${told(image)}`), verdict(image)),
      ...cells);
  };
  const hang = (element, gallery, run) => {
    const moves = gallery.threats.some(({ factor }) => factor === null);
    element.dataset.drawn = "arrows";
    const choice = (value, text) => {
      const input = make("input", { type: "radio", name: `drawn-${run}`, value, checked: value === "arrows" });
      input.addEventListener("change", () => { element.dataset.drawn = value; });
      return make("label", {}, input, ` ${text}`);
    };
    const notes = ["✓ the prediction is right, ✗ wrong."];
    if (moves) {
      element.append(make("fieldset", {}, make("legend", { textContent: "Drawn over a moved image:" }),
        choice("arrows", "arrows"), choice("grid", "grid"), choice("nothing", "nothing")));
      notes.push("Arrows: from where a point was read to where it is now, at the dot.");
      notes.push("Grid: where a regular grid of points is read.");
    }
    if (!moves || gallery.threats.some(({ factor }) => factor !== null)) {
      notes.push("Below an image whose pixels did not move: its difference to the natural one, amplified about grey.");
    }
    if (gallery.images.length < gallery.kept) {
      const shown = `The first ${gallery.images.length} of ${gallery.kept} kept images are shown`;
      notes.push(`${shown}, so that the page stays small.`);
    }
    if (gallery.reduced) {
      notes.push(`Images of ${gallery.width} × ${gallery.height} pixels are shown smaller, with a small loss.`);
    }
    const strongly = ({ strength, factor }) => (factor === null ? strength : `${strength}; difference × ${factor}`);
    const heads = gallery.threats.map((threat) => make("th", { scope: "col" }, threat.name,
      make("small", { className: "said", textContent: strongly(threat) })));
    const head = make("tr", {}, make("th", { scope: "col", textContent: "label" }),
      make("th", { scope: "col", textContent: "natural" }), ...heads);
    const table = make("table", {}, make("thead", {}, head),
      make("tbody", {}, ...gallery.images.map((image) => row(gallery, image))));
    element.append(make("div", { className: "scroll", tabIndex: 0 }, table));
    element.append(make("p", {}, make("small", { textContent: notes.join(" ") })));
  };

  // Cards open by the plot, by links, by their own line.

  const openCard = (card) => {
    if (!card) return;
    card.open = true;
    fill(card);
    history.replaceState(null, "", `#${card.id}`);
    card.scrollIntoView({ behavior: still.matches ? "auto" : "smooth", block: "start" });
    card.querySelector("summary").focus({ preventScroll: true });
  };
  const named = (hash) => (/^#run-\d+$/.test(hash) ? byId(hash.slice(1)) : null);
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#run-"]');
    if (!link) return;
    event.preventDefault();
    openCard(named(link.getAttribute("href")));
  });
  addEventListener("hashchange", () => openCard(named(location.hash)));
  for (const card of document.querySelectorAll(".card")) {
    card.addEventListener("toggle", () => { if (card.open) fill(card); });
  }
  for (const button of document.querySelectorAll("[data-cards]")) {
    button.addEventListener("click", () => {
      for (const card of document.querySelectorAll(`.card[data-group="${button.dataset.group}"]`)) {
        card.open = button.dataset.cards === "open";
      }
      say(button.dataset.cards === "open" ? "All cards are open." : "All cards are closed.");
    });
  }

  // Tables sort by a click or a key on their headings; what is absent stays last.

  const sort = (button) => {
    const head = button.closest("th");
    const table = head.closest("table");
    const numeric = button.dataset.sort === "number";
    const first = numeric ? "descending" : "ascending"; // of scores, the best
    const other = { ascending: "descending", descending: "ascending" };
    const order = other[head.getAttribute("aria-sort")] ?? first;
    const place = [...head.parentElement.children].indexOf(head);
    const sign = order === "ascending" ? 1 : -1;
    const keyed = [...table.tBodies[0].rows].map((line) => [line.children[place].dataset.value, line]);
    const compare = ([one], [two]) => {
      if (numeric && (one === "" || two === "")) return (one === "") - (two === "");
      return sign * (numeric ? Number(one) - Number(two) : one.localeCompare(two, "en", { numeric: true }));
    };
    table.tBodies[0].append(...keyed.sort(compare).map(([, line]) => line));
    for (const one of head.parentElement.querySelectorAll("[aria-sort]")) one.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", order);
    say(`Sorted by ${button.textContent}, ${order}.`);
  };
  for (const button of document.querySelectorAll("button[data-sort]")) {
    button.addEventListener("click", () => sort(button));
  }

  // On paper plots are black on white and fit its width; what fits there must be said before the page is laid out.

  const PAPER = { front: { width: 680, height: 400 }, card: { width: 335, height: 230 } }; // A4 is 700 wide

  const onPaper = (now) => {
    for (const notes of document.querySelectorAll(".notes")) {
      if (now) notes.dataset.wasOpen = notes.open;
      notes.open = now || notes.dataset.wasOpen === "true";
    }
    if (!window.Plotly) return;
    printing = now;
    rethemed();
    for (const element of drawn) {
      const size = PAPER[element.classList.contains("front") ? "front" : "card"];
      const screen = { autosize: true, width: null, height: null };
      window.Plotly.relayout(element, now ? { autosize: false, ...size } : screen);
      if (!now && element.offsetParent) window.Plotly.Plots.resize(element);
    }
  };
  addEventListener("beforeprint", () => onPaper(true));
  addEventListener("afterprint", () => onPaper(false));

  const fronts = [...document.querySelectorAll(".plot.front")];
  plotly.then(() => Promise.all(fronts.map(drawFront))).then(() => { document.documentElement.dataset.ready = "yes"; })
    .catch(() => {
      for (const element of document.querySelectorAll(".plot")) {
        element.textContent = "This browser is too old to draw the plots; the tables have their numbers.";
      }
    });
  const asked = named(location.hash);
  const cards = document.querySelectorAll(".card");
  if (asked) openCard(asked);
  else if (cards.length === 1) cards[0].open = true;
})();

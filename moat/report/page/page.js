"use strict";
/* Draws the front, and each card's plots and pictures when it is opened. Data come from the page's own JSON; text of a
   run enters the document by textContent alone, and plots escaped, for plotly reads a little HTML. */
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
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
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

  const shade = (look) => (dark.matches && !printing ? look.dark : look.colour);

  const layoutOf = (across, up, more = {}) => {
    const { ink, grid, paper, soft } = theme();
    const axis = (title) => ({
      title: { text: title, standoff: 8 }, gridcolor: grid, zerolinecolor: grid, linecolor: soft, automargin: true,
    });
    return {
      font: { family: "system-ui, sans-serif", size: 12, color: ink },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 50, r: 12, t: 12, b: 70 }, showlegend: true,
      xaxis: { ...axis(across), ...more.xaxis }, yaxis: { ...axis(up), ...more.yaxis },
      legend: { orientation: "h", x: 0, yref: "container", y: 0, yanchor: "bottom" },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: soft, activecolor: ink },
      hoverlabel: { bgcolor: paper, bordercolor: soft, font: { color: ink }, align: "left" },
      dragmode: touch.matches ? false : "zoom", hovermode: "closest",
    };
  };

  const draw = async (element, traces, layout, buttons = false) => {
    const { newPlot } = await plotly;
    await newPlot(element, traces, layout, {
      responsive: true, displaylogo: false, displayModeBar: buttons,
      modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]],
    });
    drawn.add(element);
  };

  const rethemed = () => {
    const { ink, grid, paper, soft } = theme();
    for (const element of drawn) {
      const changes = {
        "font.color": ink, "modebar.color": soft, "modebar.activecolor": ink,
        "hoverlabel.bgcolor": paper, "hoverlabel.font.color": ink, "hoverlabel.bordercolor": soft,
      };
      for (const axis of ["xaxis", "yaxis"]) {
        Object.assign(changes, {
          [`${axis}.gridcolor`]: grid, [`${axis}.zerolinecolor`]: grid, [`${axis}.linecolor`]: soft,
        });
      }
      if (element.layout.annotations?.length) changes["annotations[0].arrowcolor"] = ink;
      window.Plotly.relayout(element, changes);
      element.data.forEach(({ meta, error_x: bar, mode }, place) => {
        const look = {};
        if (meta === "ink") look["line.color"] = soft;
        if (meta === "ring") look["marker.color"] = ink;
        if (meta?.edge) look["marker.line.color"] = ink;
        if (meta?.look) look[mode.includes("lines") ? "line.color" : "marker.color"] = shade(meta.look);
        if (meta?.look && bar) look["error_x.color"] = look["error_y.color"] = shade(meta.look);
        if (Object.keys(look).length) window.Plotly.restyle(element, look, [place]);
      });
    }
  };
  dark.addEventListener("change", rethemed);

  // The front.

  const bars = (points, color, member) => {
    if (!points.some((point) => point.low)) return {};  // of two seeds there is none
    const reach = (point, end, which, place) => (point[end] ? Math.abs(point[end][place] - point[which]) : 0);
    const bar = (which, place) => ({
      type: "data", symmetric: false, color, thickness: member ? 1.4 : 0.9, width: 0,
      array: points.map((point) => reach(point, "high", which, place)),
      arrayminus: points.map((point) => reach(point, "low", which, place)),
    });
    return { error_x: bar("x", 0), error_y: bar("y", 1) };
  };

  const [GAINED, LOST] = ["rgba(20,150,95,0.2)", "rgba(214,92,60,0.22)"];
  const REACH = 55; // pixels
  const arrow = ({ x, y, way: [right, up] }, arrowcolor) => ({ // away from the point, whose ring it leaves free
    x, y, ax: REACH * right, ay: -REACH * up, text: "", arrowcolor, arrowwidth: 1.5, standoff: 12,
    arrowside: "start", startarrowhead: 2, startarrowsize: 1.2,
  });

  const drawFront = async (element) => {
    const { across, up, points, line, variants, worst, rival, choice } = json(`front-data-${element.dataset.front}`);
    const { ink, soft } = theme();
    const text = ([first, ...rest]) => [`<b>${escaped(first)}</b>`, ...rest.map(escaped)].join("<br>");
    const stairs = ([x, y], width, dash) => ({ // from one worst edge to the other
      x: [worst[0], ...x, x.at(-1)], y: [y[0], ...y, worst[1]], mode: "lines", meta: "ink", hoverinfo: "skip",
      line: { shape: "vh", color: soft, width, dash }, showlegend: false,
    });
    const traces = [stairs(line, 2, "solid")];
    if (rival) {
      const name = escaped(`front of ${rival.name}`);
      traces.push({ ...stairs(rival.line, 1.5, "8px,4px"), name, showlegend: true });
    }
    variants.forEach((look, place) => {
      const { symbol } = look;
      const group = { legendgroup: String(place), name: escaped(look.name), mode: "markers" };
      const marker = { color: shade(look), symbol, size: 10 };
      traces.push({ ...group, x: [null], y: [null], marker, meta: { look }, hoverinfo: "skip" });
      const alike = {};
      for (const point of points) {
        if (point.variant === place) (alike[`${point.member} ${point.colour}`] ??= []).push(point);
      }
      for (const chosen of Object.values(alike)) {
        const [{ member }] = chosen;
        const color = shade(chosen[0]);
        traces.push({
          ...group, showlegend: false, x: chosen.map(({ x }) => x), y: chosen.map(({ y }) => y),
          customdata: chosen.map(({ run }) => run), hoverinfo: "text",
          hovertext: chosen.map(({ said }) => text(said)),
          ...bars(chosen, color, member),
          marker: member ? { color, symbol, size: 11, line: { color: ink, width: 1 } }
            : { color, symbol: `${symbol}-open`, size: 10, opacity: 0.85, line: { width: 2 } },
          meta: { look: chosen[0], edge: member },
        });
      }
    });
    const title = (axis) => `${escaped(axis.name)} (${axis.better})`;
    const layout = { ...layoutOf(title(across), title(up)), margin: { l: 50, r: 12, t: 34, b: 70 } };
    const tint = (boxes, fillcolor) => boxes.map(([x0, y0, x1, y1]) => ({
      type: "rect", x0, y0, x1, y1, fillcolor, layer: "below", line: { width: 0 },
    }));
    if (rival) layout.shapes = [...tint(rival.gained, GAINED), ...tint(rival.lost, LOST)];
    if (choice) {
      const group = { legendgroup: "preferred", x: [choice.x], y: [choice.y], mode: "markers" };
      const ring = { symbol: "circle-open", size: 22, color: ink, line: { width: 2 } };
      const dot = { symbol: choice.symbol, size: 7, color: shade(choice) };
      const said = { hoverinfo: "text", hovertext: text(choice.said) };
      traces.push({ ...group, ...said, name: "preferred run", marker: ring, meta: "ring" });
      traces.push({ ...group, marker: dot, meta: { look: choice }, hoverinfo: "skip", showlegend: false });
      if (choice.way.some(Boolean)) layout.annotations = [arrow(choice, ink)];
    }
    await draw(element, traces, layout, true);
    element.on("plotly_click", ({ points: [point] }) => {
      if (point.customdata !== undefined) openCard(byId(`run-${point.customdata}`));
    });
  };

  // A card's plots, each with its numbers as a table.

  const lines = (x, curves, looks) => Object.entries(curves).map(([name, y]) => ({
    x, y, name: escaped(name), mode: x.length > 1 ? "lines" : "markers", meta: { look: looks[name] },
    line: { color: shade(looks[name]), dash: looks[name].dash, width: 2 },
    marker: { color: shade(looks[name]), symbol: looks[name].symbol, size: 8 },
    hovertemplate: "%{fullData.name} %{y:.3g} at step %{x}<extra></extra>",
  }));
  const shaded = (stretches) => stretches.map(([x0, x1]) => ({
    type: "rect", xref: "x", yref: "paper", x0, x1, y0: 0, y1: 1, layer: "below", line: { width: 0 },
    fillcolor: "rgba(128,128,128,0.28)",
  }));
  const strengths = (data, by, looks) => {
    const threats = data.strengths.filter((threat) => threat.by === by);
    const traces = threats.map(({ name, x, y, at }) => ({
      x, y, customdata: at, name: escaped(name), mode: "lines+markers", meta: { look: looks[name] },
      line: { color: shade(looks[name]), dash: looks[name].dash, width: 2 },
      marker: { symbol: looks[name].symbol, size: 8 }, // in the line's colour
      hovertemplate: "%{fullData.name} %{y:.1f} % at %{customdata}<extra></extra>",
    }));
    const ends = threats.flatMap(({ x }) => x);
    traces.unshift({
      x: [Math.min(...ends), Math.max(...ends)], y: [data.natural, data.natural], name: "natural", mode: "lines",
      line: { color: shade(looks.natural), dash: looks.natural.dash, width: 2 }, meta: { look: looks.natural },
      hovertemplate: "natural %{y:.1f} %<extra></extra>",
    });
    return traces;
  };
  const FROM_ZERO = { yaxis: { rangemode: "tozero" } };
  const PERCENT = { yaxis: { range: [0, 103] } };
  const counted = (data) => {
    const tickvals = [...new Set(data.strengths.filter(({ by }) => by === "steps").flatMap(({ x }) => x))];
    return tickvals.length > 12 ? PERCENT : { ...PERCENT, xaxis: { tickvals } };
  };
  const PLOTS = {
    losses: ({ curves }, looks) => [
      lines(curves.steps, curves.losses, looks), layoutOf("step", "loss (nats)", FROM_ZERO),
    ],
    weights: ({ curves }, looks) => [
      lines(curves.steps, curves.weights, looks),
      { ...layoutOf("step", "weight", FROM_ZERO), shapes: shaded(curves.clamped) },
    ],
    validation: ({ curves }, looks) => [
      lines(curves.validated, curves.validation, looks), layoutOf("step", "accuracy (%)", PERCENT),
    ],
    steps: (data, looks) => [
      strengths(data, "steps", looks), layoutOf("steps of the search", "accuracy (%)", counted(data)),
    ],
    radius: (data, looks) => [
      strengths(data, "radius", looks), layoutOf("share of the largest radius", "accuracy (%)", PERCENT),
    ],
  };
  const TABLES = {
    losses: ({ curves }) => ["step", curves.steps, curves.losses],
    weights: ({ curves }) => ["step", curves.steps, curves.weights],
    validation: ({ curves }) => ["step", curves.validated, curves.validation],
  };
  const rowsOf = (data, kind) => {
    if (!(kind in TABLES)) {
      const threats = data.strengths.filter((threat) => threat.by === kind);
      return [["threat", "strength", "accuracy"],
        threats.flatMap(({ name, at, y }) => at.map((strength, place) => [name, strength, y[place]]))];
    }
    const [first, across, curves] = TABLES[kind](data);
    const names = Object.keys(curves);
    return [[first, ...names], across.map((at, place) => [at, ...names.map((name) => curves[name][place])])];
  };
  const tabulate = (element, data) => {
    const [names, rows] = rowsOf(data, element.dataset.kind);
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
    const data = json(`run-data-${card.dataset.run}`);
    for (const element of card.querySelectorAll(".plot")) {
      const [traces, layout] = PLOTS[element.dataset.kind](data, json(`looks-${card.dataset.group}`));
      draw(element, traces, layout);
    }
    for (const element of card.querySelectorAll(".numbers")) {
      element.addEventListener("toggle", () => tabulate(element, data), { once: true });
    }
    const gallery = card.querySelector(".gallery");
    if (gallery) hang(gallery, data.gallery, card.dataset.run);
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

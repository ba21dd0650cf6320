"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const read = (element) => JSON.parse(element.textContent);

  /* Themes: as the system has it, until the reader chooses. */
  const theme = {
    kept: "stepmark-theme",
    get dark() {
      const chosen = root.dataset.theme;
      return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    },
    choose(name) {
      root.dataset.theme = name;
      try { localStorage.setItem(this.kept, name); } catch { /* a page from a file may keep nothing */ }
      charts.redraw();
    },
    start() {
      try {
        const name = localStorage.getItem(this.kept);
        if (name === "dark" || name === "light") root.dataset.theme = name;
      } catch { /* as above */ }
      document.getElementById("theme").addEventListener("click", () => this.choose(this.dark ? "light" : "dark"));
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.redraw());
    },
  };

  /* Tables: sorted by their headers, and folded where they are long. */
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.v ?? cell.textContent.trim();
  };

  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, undefined, { numeric: true }) : x - y;
  };

  const sort = (table, column) => {
    const heads = all("thead th", table);
    const rising = heads[column].getAttribute("aria-sort") === "descending"
      || (heads[column].getAttribute("aria-sort") !== "ascending" && !heads[column].classList.contains("n"));
    for (const head of heads) head.removeAttribute("aria-sort");
    heads[column].setAttribute("aria-sort", rising ? "ascending" : "descending");
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [value(row, column), row]);
    keyed.sort(([a], [b]) => {
      // What is unknown stays at the end either way.
      if (a === "" || b === "") return compare(a, b);
      return rising ? compare(a, b) : compare(b, a);
    });
    body.append(...keyed.map(([, row]) => row));
    fold(table);
  };

  /* The page comes with the rows beyond the first few already marked as the rest. */
  const fold = (table) => {
    const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
    rows.forEach((row, i) => row.classList.toggle("rest", i >= Number(table.dataset.fold)));
    offerRest(table, rows.length);
  };

  const offerRest = (table, count) => {
    const next = table.nextElementSibling;
    if (next?.matches(".more")) next.remove();
    if ("open" in table.dataset || count <= Number(table.dataset.fold)) return;
    const more = document.createElement("button");
    more.type = "button";
    more.className = "more";
    more.textContent = `Show all ${count.toLocaleString("en")}`;
    more.addEventListener("click", () => {
      table.dataset.open = "";
      more.remove();
    });
    table.after(more);
  };

  const prepareTable = (table) => {
    all("thead th", table).forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(table, column));
      head.replaceChildren(button);
    });
    offerRest(table, table.tBodies[0].rows.length);
  };

  /* Filter: every word must be in the name. */
  const filter = (text) => {
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    const kept = new Set();
    const cards = all("#series > article");
    for (const card of cards) {
      card.hidden = !wanted.every((word) => card.dataset.name.includes(word));
      if (!card.hidden) kept.add(card.id);
    }
    for (const table of all("table.changes, table.trend")) {
      for (const row of table.tBodies[0].rows) {
        row.hidden = !kept.has(row.dataset.of);
      }
      fold(table);
    }
    document.getElementById("shown").textContent = wanted.length ? `${kept.size} of ${cards.length} series` : "";
  };

  const startFilter = () => {
    const box = document.getElementById("filter");
    if (!box) return;
    let waiting = 0;
    box.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => filter(box.value), 120);
    });
    if (box.value) filter(box.value); // kept by the browser over a reload
  };

  /* What hover labels say. Nothing from outside is ever read as HTML or as a template. */
  const number = (x, digits) => {
    if (x === 0) return "0";
    if (Math.abs(x) >= 1e12 || Math.abs(x) < 1e-6) return x.toExponential(3);
    const whole = Math.floor(Math.log10(Math.abs(x))) + 1;
    return x.toLocaleString("en", { maximumSignificantDigits: Math.max(digits, whole) });
  };
  const percent = (x) =>
    `${(100 * x).toLocaleString("en", { maximumSignificantDigits: 3, signDisplay: "exceptZero" })} %`;
  const moment = (ms) => {
    const text = new Date(ms).toISOString().replace("T", " ");
    return text.endsWith("00:00:00.000Z") ? text.slice(0, 10) : `${text.slice(0, 16)} UTC`;
  };
  // Bokeh would set what stands between these in type, with a library that it fetches.
  const plain = (text) => text.replace(/\$\$|\\[[(]/g, (pair) => `${pair[0]}\u2060${pair[1]}`);
  const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

  const label = (title, lines) => {
    const box = document.createElement("div");
    box.className = "label";
    // Page styles do not reach into Bokeh's shadow tree; inherited variables do.
    box.style.cssText = "padding:3px 5px;max-width:26rem;color:var(--ink);font:12px/1.45 system-ui,sans-serif;overflow-wrap:anywhere";
    requestAnimationFrame(() => {
      const { host } = box.getRootNode();
      if (host) {
        host.style.cssText += ";background:var(--card);border:1px solid var(--line);border-radius:6px;"
          + "opacity:1;box-shadow:0 2px 10px rgb(0 0 0 / 0.15)";
      }
    });
    const head = box.appendChild(document.createElement("div"));
    head.style.cssText = "font-weight:600;font-size:13px;margin-bottom:2px";
    head.textContent = title;
    const list = box.appendChild(document.createElement("div"));
    list.style.cssText = "display:grid;grid-template-columns:max-content 1fr;gap:0 10px";
    for (const [name, text] of lines) {
      const key = list.appendChild(document.createElement("div"));
      key.style.cssText = "color:var(--muted);max-width:9rem";
      key.textContent = cut(name, 60);
      list.appendChild(document.createElement("div")).textContent = cut(text, 140);
    }
    return box;
  };

  /* Charts: the still one stands until its place comes into view. */
  const shared = (() => {
    const element = document.getElementById("shared");
    return element ? read(element) : { texts: [], columns: [] };
  })();
  const pick = (column, i) => (column === undefined ? "" : shared.texts[shared.columns[column][i]]);

  class Chart {
    static count = 0;

    constructor(element) {
      this.element = element;
      this.target = null;
      this.views = null;
    }

    get data() {
      this.parsed ??= read(this.element.querySelector("script"));
      return this.parsed;
    }

    get axis() {
      if (charts.axis === "time" && this.data.times !== undefined) return "time";
      return charts.axis === "revision" && this.data.short !== undefined ? "revision" : "run";
    }

    get times() {
      let sum = 0;
      return shared.columns[this.data.times]?.map((step) => (sum += step));
    }

    get builds() {
      return this.data.attributes.find(([name]) => shared.texts[name] === "Build")?.[1];
    }

    async show() {
      if (this.target) return;
      const target = document.createElement("div");
      target.className = "live";
      target.setAttribute("role", "group");
      target.setAttribute("aria-label", "Interactive chart");
      this.target = target;
      this.element.append(target);
      const views = await Bokeh.embed.embed_item(this.item(), target);
      if (this.target !== target) { // hidden or redrawn meanwhile
        Chart.dispose(views, target);
        return;
      }
      this.views = views;
      const hover = views.roots[0].model.document.get_model_by_name("hover");
      hover.tooltips = (source, { index }) =>
        source.name === "marks" ? this.ofChange(index) : this.ofPoint(index);
      this.element.classList.add("on");
    }

    hide() {
      const { target, views } = this;
      this.views = this.target = null;
      this.element.classList.remove("on");
      if (views) Chart.dispose(views, target);
      else if (target) target.style.visibility = "hidden"; // Bokeh needs it until it has drawn
    }

    static dispose(views, target) {
      const document = views.roots[0]?.model.document;
      views.clear();
      target.remove();
      // Bokeh keeps every document it has drawn.
      const place = Bokeh.documents.indexOf(document);
      if (place >= 0) Bokeh.documents.splice(place, 1);
    }

    /* The template with this series' data. */
    item() {
      const { json, colours } = charts.figure;
      const item = JSON.parse(json.replace(/"p(\d+)"/g, `"c${Chart.count++}-$1"`));
      const named = new Map();
      const visit = (part) => {
        if (part === null || typeof part !== "object") return;
        if (part.attributes?.name) named.set(part.attributes.name, part.attributes);
        Object.values(part).forEach(visit);
      };
      visit(item);
      const root = item.doc.roots[0].attributes;
      root.height = this.element.clientHeight;
      if (matchMedia("(pointer: coarse)").matches) named.get("toolbar").active_drag = null; // swiping scrolls
      if (this.data.values.length > 1000) Object.assign(named.get("dot"), { size: 3, fill_alpha: 0.5 });
      this.fill(named, colours);
      return item;
    }

    fill(named, colours) {
      const { data } = this;
      const values = data.values.map((v) => v ?? NaN);
      const x = this.axis === "time" ? this.times : values.map((_, i) => i);
      const half = (x.at(-1) - x[0]) / Math.max(x.length - 1, 1) / 2 || (this.axis === "time" ? 432e5 : 0.5);
      const edge = (i) => (i === 0 ? x[0] - half : i === x.length ? x.at(-1) + half : (x[i - 1] + x[i]) / 2);
      const put = (name, columns) => {
        named.get(name).data = { type: "map", entries: Object.entries(columns) };
      };
      put("points", { x, y: values });
      const ends = data.starts.map((start, i) => [edge(start), edge(data.starts[i + 1] ?? x.length)]);
      put("steps", { x: ends.flat(), y: data.means.flatMap((m) => [m ?? NaN, m ?? NaN]) });
      const look = {
        regression: { shape: "square", angle: Math.PI / 4, size: 11, fill: colours["--bad"], line: colours["--card"] },
        improvement: { shape: "circle", angle: 0, size: 12, fill: colours["--good"], line: colours["--card"] },
        neutral: { shape: "square", angle: 0, size: 10, fill: colours["--card"], line: colours["--neutral"] },
      };
      const of = (part) => data.changes.map((change) => look[change.verdict][part]);
      put("marks", {
        x: data.changes.map((change) => x[change.index]),
        y: data.changes.map((change) => data.means[data.starts.indexOf(change.index)] ?? NaN),
        ...Object.fromEntries(["shape", "angle", "size", "fill", "line"].map((part) => [part, of(part)])),
      });
      const room = Math.max((x.at(-1) - x[0]) * 0.01, half * 0.5);
      Object.assign(named.get("x"), { start: edge(0) - room, end: edge(x.length) + room });
      Object.assign(named.get("y"), { start: data.y[0], end: data.y[1] });
      named.get("left").axis_label = plain(data.unit);
      this.fillAxis(named, x);
    }

    fillAxis(named, x) {
      const [places, times] = [named.get("places"), named.get("times")];
      places.visible = this.axis !== "time";
      times.visible = this.axis === "time";
      if (this.axis === "time") return;
      places.bounds = [x[0], x.at(-1)]; // beyond the points there is nothing to name
      const column = this.axis === "revision" ? this.data.short : this.builds;
      if (column !== undefined) {
        const labels = x.map((i) => [i, plain(cut(pick(column, i), 16))]);
        places.major_label_overrides = { type: "map", entries: labels };
      }
      places.axis_label = this.axis === "revision" ? "" : column === undefined ? "Point" : "Build";
    }

    ofPoint(i) {
      const { data } = this;
      const group = data.starts.findLastIndex((start) => start <= i);
      const [value, mean] = [data.values[i], data.means[group]];
      const shown = (v) => `${number(v, data.digits)} ${data.unit}`.trim();
      const change = data.changes.find(({ index }) => index === data.starts[group]);
      const lines = [["Revision", pick(data.revisions, i)]];
      for (const [name, column] of data.attributes) lines.push([shared.texts[name], pick(column, i)]);
      lines.push(["Time", this.times ? moment(this.times[i]) : ""], ["Point", `${i} (of 0 to ${data.values.length - 1})`]);
      const samples = shared.columns[data.samples]?.[i];
      if (samples > 1) lines.push(["Samples", `${samples} (${data.aggregate})`]);
      if (mean !== null) {
        const away = mean ? `, this point ${percent((value - mean) / Math.abs(mean))}` : "";
        lines.push(["Group mean", shown(mean) + away]);
      }
      if (change) lines.push(["Group began", change.title]);
      return label(shown(value), lines.filter(([, text]) => text));
    }

    ofChange(i) {
      const { title, lines } = this.data.changes[i];
      return label(title, lines);
    }
  }

  const charts = {
    axis: "run",
    most: 40,
    byElement: new Map(),
    drawn: new Set(), // in the order in which they were last seen
    get figure() {
      const probe = document.body.appendChild(document.createElement("i"));
      const colour = (name) => {
        probe.style.color = `var(${name})`;
        const [r, g, b] = getComputedStyle(probe).color.match(/\d+/g).map(Number);
        return `#${[r, g, b].map((c) => c.toString(16).padStart(2, "0")).join("")}`;
      };
      let json = document.getElementById("figure").textContent;
      for (const [stand, name] of Object.entries(read(document.getElementById("colours")))) {
        json = json.replaceAll(stand, colour(name));
      }
      const colours = Object.fromEntries(["--bad", "--good", "--neutral", "--card"].map((name) => [name, colour(name)]));
      probe.remove();
      return { json, colours };
    },
    seen(chart) {
      this.drawn.delete(chart);
      this.drawn.add(chart);
      chart.show();
      for (const old of this.drawn) {
        if (this.drawn.size <= this.most) break;
        this.drop(old);
      }
    },
    drop(chart) {
      chart.hide();
      this.drawn.delete(chart);
    },
    redraw() {
      for (const chart of [...this.drawn]) this.drop(chart);
      for (const element of this.byElement.keys()) {
        this.observer.unobserve(element);
        this.observer.observe(element);
      }
    },
    start() {
      if (!document.getElementById("figure")) return;
      this.observer = new IntersectionObserver((entries) => {
        for (const entry of entries) {
          if (entry.isIntersecting) this.seen(this.byElement.get(entry.target));
        }
      }, { rootMargin: "150px 0px" });
      for (const element of all("#series > article")) {
        const chart = element.querySelector(".chart");
        if (!chart) continue;
        this.byElement.set(element, new Chart(chart));
        this.observer.observe(element);
      }
      const choice = document.getElementById("axis");
      const offered = choice.dataset.offers.split(" ");
      for (const input of all("input", choice)) {
        input.disabled = !offered.includes(input.value);
        input.addEventListener("change", () => {
          this.axis = input.value;
          this.redraw();
        });
        if (input.checked) this.axis = input.value;
      }
      choice.hidden = offered.length < 2;
    },
  };

  theme.start();
  all("main > section > table, figure table").forEach(prepareTable);
  startFilter();
  charts.start();
})();

/* What the page can do beyond being read: sort, search and filter tables, download what they hold, follow a number to
   its row in the list of all numbers, and show the numbers of points in figures. */
"use strict";
(() => {
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const make = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const plain = (text) => text.replaceAll("\u2212", "-").replaceAll("\u00a0", " ").trim();
  const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60);

  // ---- downloads ----

  const quoted = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));

  function download(name, rows) {
    const content = rows.map((row) => row.map(quoted).join(",")).join("\n") + "\n";
    const url = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
    make("a", { href: url, download: `${name}.csv` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }

  /* Rows of a table in the page: a mean and its spread are two columns; exact values where the cells have them. */
  function rowsOf(table, nodes) {
    const heads = all("thead tr:last-child th", table).map((head) => plain(head.dataset.name ?? head.textContent));
    const rows = nodes.map((row) => [...row.cells]);
    const spread = heads.map((_, column) => rows.some((cells) => cells[column]?.dataset.spread !== undefined));
    const line = (cells, of, ofSpread) => cells.flatMap((cell, i) => (spread[i] ? [of(cell), ofSpread(cell)] : [of(cell)]));
    const text = (cell) => plain([...cell.childNodes].filter((it) => !/SMALL|SUP/.test(it.nodeName)).map((it) => it.textContent).join(""));
    const body = rows.map((cells) => line(cells, (cell) => cell.dataset.order ?? text(cell), (cell) => cell.dataset.spread ?? ""));
    return [line(heads, (head) => head, (head) => `${head} sd`), ...body];
  }

  // ---- one tab stop for many: arrows move between them ----

  function roving(places) {
    const flat = places.flat().filter(Boolean);
    flat.forEach((element, i) => (element.tabIndex = i ? -1 : 0));
    const at = (element) => places.map((row, i) => [i, row.indexOf(element)]).find(([, column]) => column >= 0);
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    flat.forEach((element) => element.addEventListener("keydown", (event) => {
      if (!(event.key in moves)) return;
      let [row, column] = at(element);
      const [down, right] = moves[event.key];
      let next;
      do {
        row += down;
        column += right;
        next = places[row]?.[column];
      } while (next === undefined && row >= 0 && row < places.length && column >= 0 && column < 999);
      if (!next) return;
      event.preventDefault();
      element.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }));
  }

  // ---- tables of the chapters ----

  function enhance(table) {
    const search = table.tBodies[0].rows.length > 12;
    const shown = new DataTable(table, {
      paging: false, info: false, searching: search, order: [], autoWidth: false,
      titleRow: table.tHead.rows.length - 1,
      columns: all("thead tr:last-child th", table).map((head) => ({ ariaTitle: plain(head.textContent) || "name" })),
      layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null },
    });
    const scroll = table.closest(".scroll");
    const tools = make("div", { className: "tools" });
    const name = slug(scroll.getAttribute("aria-label").split(".")[0]);
    if (search) {
      const field = make("input", { type: "search", placeholder: "Search this table" });
      field.setAttribute("aria-label", `Search: ${scroll.getAttribute("aria-label").split(".")[0]}`);
      field.addEventListener("input", () => shown.search(field.value).draw());
      tools.append(field);
    }
    const button = make("button", { type: "button", textContent: "CSV", title: "Download this table" });
    button.setAttribute("aria-label", `Download as CSV: ${name.replaceAll("-", " ")}`);
    button.addEventListener("click", () => download(name, rowsOf(table, shown.rows({ order: "applied", search: "applied" }).nodes().toArray())));
    tools.append(button);
    scroll.before(tools);
  }

  // ---- all numbers ----

  const source = document.getElementById("all-numbers");
  const numbers = source && JSON.parse(source.textContent);
  const columns = ["dataset", "arm", "split", "metric", "score"];
  let list = null;

  const known = (values) => values.filter((value) => typeof value === "number");
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = (values) => {
    const middle = mean(values);
    return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
  };
  const digits = (value) => (Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(5)).replace("-", "\u2212");

  function rowsOfNumbers() {
    return numbers.rows.map((row, index) => {
      const values = known(row[7]);
      const found = { index, n: row[5], replicates: numbers.replicates[row[6]], values: row[7], mean: null, sd: null };
      columns.forEach((name, i) => (found[name] = numbers.texts[name][row[i]]));
      found.label = numbers.labels[row[1]];
      if (values.length) found.mean = mean(values);
      if (values.length > 1) found.sd = deviation(values);
      return found;
    });
  }

  function details(row) {
    const parts = row.values.map((value, i) => make("li", {}, make("b", { textContent: `replicate ${row.replicates[i]}` }), ` ${typeof value === "number" ? value : `no value: ${value}`}`));
    return make("ul", { className: "replicates" }, ...parts);
  }

  function openList() {
    if (list) return list;
    const shown = (name) => columns.indexOf(name) < 0 || numbers.texts[name].length > 1 || name === "arm";
    const number = (value, type) => (type === "display" ? (value === null ? "\u2013" : digits(value)) : value === null ? -Infinity : value);
    const text = DataTable.render.text();
    const table = document.getElementById("number-list");
    list = new DataTable(table, {
      data: rowsOfNumbers(), deferRender: true, pageLength: 25, lengthChange: false, order: [], autoWidth: false,
      columns: [
        { data: "arm", title: "arm", type: "string", className: "words", render: (value, type, row) => (type === "display" ? text.display(row.label) : `${value} ${row.label}`) },
        ...columns.filter((name) => name !== "arm").map((name) => ({ data: name, title: name, type: "string", className: "words", visible: shown(name), render: text })),
        { data: "mean", title: "mean", type: "num", render: number },
        { data: "sd", title: "sd", type: "num", render: number },
        { data: "n", title: "images", type: "num", render: (value, type) => (type === "display" ? value.toLocaleString("en") : value) },
        { data: null, title: "replicates", orderable: false, searchable: false, render: (_, type, row) => (type === "display" ? `<button type="button" class="more" aria-expanded="false">${row.values.length}</button>` : row.values.length) },
      ],
      createdRow: (element, row) => (element.id = `number-${row.index}`),
      language: { search: "Search", info: "_START_ to _END_ of _TOTAL_ numbers", infoFiltered: "(of _MAX_)", infoEmpty: "no number", zeroRecords: "No number matches." },
      layout: { topStart: null, topEnd: null, bottomStart: "info", bottomEnd: "paging" },
    });
    table.addEventListener("click", (event) => {
      const button = event.target.closest("button.more");
      if (!button) return;
      const row = list.row(button.closest("tr"));
      const open = !row.child.isShown();
      button.setAttribute("aria-expanded", open);
      if (open) row.child(details(row.data())).show();
      else row.child.hide();
    });
    tools(shown);
    return list;
  }

  function tools(shown) {
    const bar = document.getElementById("number-tools");
    const field = make("input", { type: "search" });
    field.addEventListener("input", () => list.search(field.value).draw());
    bar.append(make("label", {}, "Search", field));
    const selects = columns.filter((name) => shown(name) && numbers.texts[name].length > 1).map((name) => {
      const texts = name === "arm" ? numbers.labels : numbers.texts[name];
      const options = texts.map((text, i) => make("option", { value: numbers.texts[name][i], textContent: text }));
      const select = make("select", { ariaLabel: name }, make("option", { value: "", textContent: "all" }), ...options);
      select.addEventListener("change", filter);
      bar.append(make("label", {}, name, select));
      return [name, select];
    });
    function filter() {
      const wanted = selects.filter(([, select]) => select.value);
      list.search.fixed("selects", wanted.length ? (_, row) => wanted.every(([name, select]) => row[name] === select.value) : null).draw();
    }
    const reset = make("button", { type: "button", textContent: "Show all" });
    reset.addEventListener("click", () => {
      field.value = "";
      selects.forEach(([, select]) => (select.value = ""));
      list.search("").order([]);
      filter();
    });
    list.showAll = () => reset.click();
    const button = make("button", { type: "button", textContent: "CSV" });
    button.setAttribute("aria-label", "Download the listed numbers as CSV");
    button.addEventListener("click", () => {
      const found = list.rows({ order: "applied", search: "applied" }).data().toArray();
      const lines = found.flatMap((row) => row.values.map((value, i) => [...columns.map((name) => row[name]), row.replicates[i], typeof value === "number" ? value : "", row.n, typeof value === "number" ? "" : value]));
      download("numbers", [[...columns, "replicate", "value", "n", "reason"], ...lines]);
    });
    bar.append(reset, button);
  }

  function goTo(index) {
    openList().showAll();
    const order = list.rows({ order: "applied", search: "applied" }).indexes().toArray();
    list.page(Math.floor(order.indexOf(index) / list.page.len())).draw("page");
    const row = document.getElementById(`number-${index}`);
    all("tr.found").forEach((other) => other.classList.remove("found"));
    row.classList.add("found");
    row.tabIndex = -1;
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true });
  }

  function follow(index) {
    history.pushState(null, "", `#number-${index}`);
    goTo(index);
  }

  function openHash() {
    const found = /^#number-(\d+)$/.exec(location.hash);
    if (found && numbers && Number(found[1]) < numbers.rows.length) goTo(Number(found[1]));
  }

  function linkNumbers(table) {
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => {
      if (cell.dataset.row === undefined) return undefined;
      const link = make("a", { href: `#number-${cell.dataset.row}`, className: "to-row", title: "Show it among all numbers" });
      link.append(cell.firstChild);
      cell.prepend(link);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        follow(Number(cell.dataset.row));
      });
      return link;
    }));
    roving(rows);
  }

  // ---- points of figures ----

  const tip = make("div", { className: "tip", hidden: true, role: "status" });

  function showTip(point) {
    tip.textContent = point.dataset.text;
    tip.hidden = false;
    const at = point.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left + at.width / 2 - tip.offsetWidth / 2), document.documentElement.clientWidth - tip.offsetWidth - 8);
    const above = at.top - tip.offsetHeight - 6;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > 4 ? above : at.bottom + 6}px`;
    all(".point", point.parentElement).forEach((other) => other.classList.toggle("same", other.dataset.arm === point.dataset.arm));
  }

  function hideTip() {
    tip.hidden = true;
    all(".point.same").forEach((other) => other.classList.remove("same"));
  }

  function enliven(plot) {
    const points = all(".point", plot);
    points.forEach((point) => {
      point.dataset.text = point.title;
      point.setAttribute("aria-label", point.title);
      point.setAttribute("role", point.dataset.row ? "button" : "img");
      point.removeAttribute("title");
      point.addEventListener("pointerenter", () => showTip(point));
      point.addEventListener("pointerleave", hideTip);
      point.addEventListener("focus", () => showTip(point));
      point.addEventListener("blur", hideTip);
      point.addEventListener("keydown", (event) => {
        if (event.key === "Escape") hideTip();
        if (["Enter", " "].includes(event.key) && point.dataset.row) point.click();
      });
      if (point.dataset.row) point.addEventListener("click", () => follow(Number(point.dataset.row)));
    });
    roving([points]);
  }

  // ---- start ----

  const whenNear = (element, act) => new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    act();
  }, { rootMargin: "800px" }).observe(element);

  document.body.append(tip);
  all("table.numbers").forEach((table) => {
    const act = () => {
      enhance(table);
      if (numbers) linkNumbers(table);
    };
    if (table.tBodies[0].rows.length > 200) whenNear(table, act);
    else act();
  });
  if (numbers) {
    const section = document.getElementById("numbers");
    all(".scripted").forEach((element) => (element.hidden = false));
    whenNear(section, openList);
    addEventListener("hashchange", openHash);
    openHash();
  }
  all(".plot").forEach(enliven);
})();

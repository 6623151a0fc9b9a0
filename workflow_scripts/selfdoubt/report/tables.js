/* Tables of the chapters: sorted, searched and downloaded. What the other scripts of the page share comes first. */

const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
const plain = (text) => text.replaceAll("\u2212", "-").replaceAll("\u00a0", " ").trim();
const slug = (text) =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 60);

// ---- downloads ----

const quoted = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value));

function download(name, rows) {
  const content = rows.map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  const url = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  make("a", { href: url, download: `${name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

const SECOND = { spread: ["", " sd"], high: [" low", " high"] }; // what a cell has besides: endings of two heads

/* Rows of a table in the page: a mean and its spread are two columns; exact values where the cells have them. */
function rowsOf(table, nodes) {
  const heads = all("thead tr:last-child th", table).map((head) => plain(head.dataset.name ?? head.textContent));
  const rows = nodes.map((row) => [...row.cells]);
  const second = heads.map((_, i) =>
    Object.keys(SECOND).find((key) => rows.some((cells) => cells[i]?.dataset[key] !== undefined)),
  );
  const text = (cell) =>
    plain(
      [...cell.childNodes]
        .filter((it) => !/SMALL|SUP/.test(it.nodeName))
        .map((it) => it.textContent)
        .join(""),
    );
  const values = (cell, i) => {
    const first = cell.dataset.order || text(cell);
    return second[i] ? [first, cell.dataset[second[i]] ?? ""] : [first];
  };
  return [
    heads.flatMap((head, i) => (second[i] ? SECOND[second[i]].map((ending) => head + ending) : [head])),
    ...rows.map((cells) => cells.flatMap(values)),
  ];
}

// ---- one tab stop for many: arrows move between them ----

function roving(places) {
  const flat = places.flat().filter(Boolean);
  flat.forEach((element, i) => (element.tabIndex = i ? -1 : 0));
  const at = (element) => places.map((row, i) => [i, row.indexOf(element)]).find(([, column]) => column >= 0);
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  flat.forEach((element) =>
    element.addEventListener("keydown", (event) => {
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
    }),
  );
}

// ---- tables of the chapters ----

function enhance(table) {
  const search = table.tBodies[0].rows.length > 12;
  const shown = new DataTable(table, {
    paging: false,
    info: false,
    searching: search,
    order: [],
    autoWidth: false,
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
  button.addEventListener("click", () =>
    download(name, rowsOf(table, shown.rows({ order: "applied", search: "applied" }).nodes().toArray())),
  );
  tools.append(button);
  scroll.before(tools);
}

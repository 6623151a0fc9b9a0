/* The list of all numbers, and the way to a row of it from a number in another table. */

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
  const parts = row.values.map((value, i) =>
    make(
      "li",
      {},
      make("b", { textContent: `replicate ${row.replicates[i]}` }),
      ` ${typeof value === "number" ? value : `no value: ${value}`}`,
    ),
  );
  return make("ul", { className: "replicates" }, ...parts);
}

function openList() {
  if (list) return list;
  const shown = (name) => columns.indexOf(name) < 0 || numbers.texts[name].length > 1 || name === "arm";
  const number = (value, type) =>
    type === "display" ? (value === null ? "\u2013" : digits(value)) : value === null ? -Infinity : value;
  const text = DataTable.render.text();
  const table = document.getElementById("number-list");
  list = new DataTable(table, {
    data: rowsOfNumbers(),
    deferRender: true,
    pageLength: 25,
    lengthChange: false,
    order: [],
    autoWidth: false,
    columns: [
      {
        data: "arm",
        title: "arm",
        type: "string",
        className: "words",
        render: (value, type, row) => (type === "display" ? text.display(row.label) : `${value} ${row.label}`),
      },
      ...columns
        .filter((name) => name !== "arm")
        .map((name) => ({
          data: name,
          title: name,
          type: "string",
          className: "words",
          visible: shown(name),
          render: text,
        })),
      { data: "mean", title: "mean", type: "num", render: number },
      { data: "sd", title: "sd", type: "num", render: number },
      {
        data: "n",
        title: "images",
        type: "num",
        render: (value, type) => (type === "display" ? value.toLocaleString("en") : value),
      },
      {
        data: null,
        title: "replicates",
        orderable: false,
        searchable: false,
        render: (_, type, row) =>
          type === "display"
            ? `<button type="button" class="more" aria-expanded="false">${row.values.length}</button>`
            : row.values.length,
      },
    ],
    createdRow: (element, row) => (element.id = `number-${row.index}`),
    language: {
      search: "Search",
      info: "_START_ to _END_ of _TOTAL_ numbers",
      infoFiltered: "(of _MAX_)",
      infoEmpty: "no number",
      zeroRecords: "No number matches.",
    },
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
  const selects = columns
    .filter((name) => shown(name) && numbers.texts[name].length > 1)
    .map((name) => {
      const texts = name === "arm" ? numbers.labels : numbers.texts[name];
      const options = texts.map((text, i) => make("option", { value: numbers.texts[name][i], textContent: text }));
      const select = make("select", { ariaLabel: name }, make("option", { value: "", textContent: "all" }), ...options);
      select.addEventListener("change", filter);
      bar.append(make("label", {}, name, select));
      return [name, select];
    });
  function filter() {
    const wanted = selects.filter(([, select]) => select.value);
    list.search
      .fixed("selects", wanted.length ? (_, row) => wanted.every(([name, select]) => row[name] === select.value) : null)
      .draw();
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
    const lines = found.flatMap((row) =>
      row.values.map((value, i) => [
        ...columns.map((name) => row[name]),
        row.replicates[i],
        typeof value === "number" ? value : "",
        row.n,
        typeof value === "number" ? "" : value,
      ]),
    );
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
  const rows = [...table.tBodies[0].rows].map((row) =>
    [...row.cells].map((cell) => {
      if (cell.dataset.row === undefined) return undefined;
      const link = make("a", {
        href: `#number-${cell.dataset.row}`,
        className: "to-row",
        title: "Show it among all numbers",
      });
      link.append(cell.firstChild);
      cell.prepend(link);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        follow(Number(cell.dataset.row));
      });
      return link;
    }),
  );
  roving(rows);
}

"use strict";
// Sorting, filtering and opening. Without this script the page shows everything it has.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, heads, column));
  });
}

function sort(table, heads, column) {
  const down = heads[column].getAttribute("aria-sort") !== "descending";
  heads.forEach((head) => head.removeAttribute("aria-sort"));
  heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => {
    const cell = row.cells[column];
    if (!("sort" in cell.dataset)) return cell.textContent.trim();
    const number = parseFloat(cell.dataset.sort);
    return Number.isNaN(number) ? -Infinity : number;
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : String(b).localeCompare(String(a)));
  const rows = [...table.tBodies[0].rows].sort((a, b) => (down ? -1 : 1) * compare(key(a), key(b)));
  table.tBodies[0].append(...rows);
}

const filters = document.querySelector(".filters");
if (filters) {
  const samples = [...document.querySelectorAll(".sample")];
  const [kind, task, text] = ["kind", "task", "text"].map((name) => document.getElementById("filter-" + name));
  const expand = document.getElementById("expand");
  filters.hidden = false;
  const apply = () => {
    const words = text.value.toLowerCase();
    for (const sample of samples) {
      sample.hidden = !(
        (!kind.value || sample.dataset.kinds.split(" ").includes(kind.value)) &&
        (!task.value || sample.dataset.task === task.value) &&
        sample.textContent.toLowerCase().includes(words)
      );
    }
    const shown = samples.filter((sample) => !sample.hidden).length;
    document.getElementById("filter-count").textContent = shown + " of " + samples.length;
  };
  filters.addEventListener("input", apply);
  filters.addEventListener("submit", (event) => event.preventDefault());
  expand.addEventListener("click", () => {
    const open = expand.textContent === "Open all";
    samples.forEach((sample) => (sample.open = open));
    expand.textContent = open ? "Close all" : "Open all";
  });
  apply();
}

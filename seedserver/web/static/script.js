// Every page works without this. With it, lists are sorted and filtered at
// once, a list is fetched again while files in it are still being hashed, and
// lines can be copied with a button.
"use strict";

// make returns a new element with the given properties.
const make = (name, properties) => Object.assign(document.createElement(name), properties);

// Whoever has no scripts, or a browser for text, sees no field to filter with.
const filters = document.getElementById("filters");
const matches = make("span", { ariaLive: "polite" });
const filter = filters && make("input", {
  id: "filter", type: "search", placeholder: "Filter this list", ariaLabel: "Filter this list by name", autocomplete: "off",
});

const rows = () => [...document.getElementById("list").rows];

function applyFilter() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const all = rows();
  let shown = 0;
  for (const row of all) {
    const text = row.cells[0].textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    shown += !row.hidden;
  }
  matches.textContent = words.length ? `${shown} of ${all.length} shown` : "";
}

// Sorting gives the order that the server gives for the same link.

const nameOf = (row) => row.cells[0].querySelector("bdi").textContent;

// splitName returns the numbers and the other characters of a name.
const splitName = (name) => name.replace(/[A-Z]/g, (c) => c.toLowerCase()).match(/\d+|\D/gu) ?? [];

function compareParts(a, b) {
  for (let i = 0; i < a.length && i < b.length; i++) {
    let [x, y] = [a[i], b[i]];
    if (/^\d/.test(x) && /^\d/.test(y)) {
      [x, y] = [x, y].map((n) => n.replace(/^0+/, ""));
      if (x.length !== y.length) return x.length - y.length;
    }
    if (x !== y) return x < y ? -1 : 1;
  }
  return a.length - b.length;
}

function keyOf(row, column) {
  const name = nameOf(row);
  const cell = row.cells[column];
  const value = column ? Number(cell.dataset.n ?? cell.textContent) : 0;
  return { row, dir: name.endsWith("/"), name, parts: splitName(name.replace(/\/$/, "")), value };
}

function sort(link) {
  const head = link.closest("th");
  const descending = new URL(link.href).searchParams.get("order") === "desc";
  const keys = rows().map((row) => keyOf(row, head.cellIndex));
  keys.sort((a, b) => {
    if (a.dir !== b.dir) return a.dir ? -1 : 1;
    const order = a.value - b.value || compareParts(a.parts, b.parts) || (a.name < b.name ? -1 : 1);
    return descending ? -order : order;
  });
  document.getElementById("list").append(...keys.map((key) => key.row));
  history.replaceState(null, "", link.href);
  for (const other of head.parentElement.querySelectorAll("th:has(a)")) {
    const next = other === head ? !descending : other.className !== "name";
    const url = new URL(other.querySelector("a").href);
    url.searchParams.delete("order");
    if (next) url.searchParams.set("order", "desc");
    other.querySelector("a").href = url.search;
    other.removeAttribute("aria-sort");
  }
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

// A list is fetched again every few seconds while something in it changes.

async function refresh() {
  let every = document.body.dataset.every;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (answer.ok && page.getElementById("list")) {
        const focused = document.activeElement.closest("#list a, #head a")?.getAttribute("href");
        for (const id of ["summary", "head", "list"]) {
          document.getElementById(id).replaceWith(page.getElementById(id));
        }
        applyFilter();
        if (focused) document.querySelector(`#list a[href="${CSS.escape(focused)}"], #head a[href="${CSS.escape(focused)}"]`)?.focus();
        every = page.body.dataset.every;
      }
    } catch {
      // The server is away for a moment, or the list is gone: try again later.
    }
  }
  schedule(every);
}

function schedule(every) {
  if (every) setTimeout(refresh, every * 1000);
}

// Keys: / to the filter, from there and in the list the arrows; Escape empties
// the filter, Enter opens the first row that is left.

const linkOf = (row) => row.cells[0].querySelector("a");

function move(from, step) {
  const shown = rows().filter((row) => !row.hidden && linkOf(row));
  const next = shown[from ? shown.indexOf(from) + step : 0];
  if (next) linkOf(next).focus();
  else if (step < 0) filter.focus();
}

function keyed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest("input");
  const row = event.target.closest("#list tr");
  switch (event.key) {
    case "/":
      if (field) return;
      (filter ?? document.querySelector("input[name=q]")).focus();
      break;
    case "Escape":
      if (field !== filter || !filter) return;
      filter.value = "";
      applyFilter();
      break;
    case "Enter":
      if (field !== filter || !filter) return;
      rows().filter((row) => !row.hidden).map(linkOf).find(Boolean)?.click();
      break;
    case "ArrowDown":
    case "ArrowUp":
      if (!row && (field !== filter || !filter)) return;
      move(row, event.key === "ArrowDown" ? 1 : -1);
      break;
    default:
      return;
  }
  event.preventDefault();
}

// Copying works on pages that did not come by HTTPS too, where browsers have no
// clipboard for scripts.

async function copy(code, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(code.textContent);
  } catch {
    getSelection().selectAllChildren(code);
    done = document.execCommand("copy");
  }
  button.textContent = done ? "Copied" : "Press Ctrl+C";
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

for (const code of document.querySelectorAll("code.copy")) {
  const button = make("button", { type: "button", className: "copy", textContent: "Copy", ariaLive: "polite" });
  button.addEventListener("click", () => copy(code, button));
  code.after(" ", button);
}

document.addEventListener("keydown", keyed);

if (filter) {
  filters.append(matches, filter);
  filter.addEventListener("input", applyFilter);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("#head a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    sort(link);
  });
  schedule(document.body.dataset.every);
}

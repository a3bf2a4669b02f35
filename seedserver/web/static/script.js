// The index works without this. With it, rows can be filtered by name, and the
// list is fetched again while files in it are still being hashed.
"use strict";

const filter = document.getElementById("filter");

function applyFilter() {
  const wanted = filter.value.trim().toLowerCase();
  for (const row of document.getElementById("list").rows) {
    row.hidden = !row.cells[0].textContent.toLowerCase().includes(wanted);
  }
}

async function refresh() {
  let every = document.body.dataset.every;
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (answer.ok && page.getElementById("list")) {
        for (const id of ["summary", "list"]) {
          document.getElementById(id).replaceWith(page.getElementById(id));
        }
        applyFilter();
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

if (filter) {
  filter.hidden = false;
  filter.addEventListener("input", applyFilter);
  applyFilter(); // a browser that goes back keeps what was typed
  schedule(document.body.dataset.every);
}

// The pages work without this. With it, what changes is put in place as it comes.
"use strict";

const live = document.body.dataset.live;
const note = document.getElementById("live");
let events; // the stream, while the page is seen
let waiting = null; // parts that came while the whole page is being asked for

// morph makes one element look like another, and leaves alone what is the same: selections and the focus stay.
function morph(from, to) {
  if (from.nodeName !== to.nodeName || from.id !== to.id) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
  const fresh = [...to.childNodes];
  while (from.childNodes.length > fresh.length) from.lastChild.remove();
  fresh.forEach((node, i) => {
    if (i < from.childNodes.length) morph(from.childNodes[i], node);
    else from.append(node);
  });
}

function apply(parts) {
  for (const [id, html] of parts) {
    if (!id) {
      refresh();
      return;
    }
    const element = document.getElementById(id);
    if (!element) continue; // a row of another page
    const template = document.createElement("template");
    template.innerHTML = html;
    morph(element, template.content.firstElementChild);
  }
}

// refresh asks for the whole page. What is told meanwhile is newer, and comes after.
async function refresh() {
  if (waiting) return;
  waiting = [];
  try {
    const answer = await fetch(location.href);
    if (answer.status === 404) {
      location.reload();
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = page.querySelector("main");
    if (answer.ok && main && !typing()) morph(document.querySelector("main"), document.adoptNode(main));
  } catch {
    // The stream ends too, and all is asked for again when it is back.
  }
  const parts = waiting;
  waiting = null;
  apply(parts);
}

// typing tells whether the filter is being written, which a new page would take away.
function typing() {
  const field = document.querySelector("input[name=q]");
  return field && field === document.activeElement && field.value !== field.defaultValue;
}

function say(text) {
  note.hidden = !text;
  note.textContent = text;
}

function open() {
  events = new EventSource(live);
  events.onopen = () => {
    say("");
    refresh();
  };
  events.onmessage = (event) => {
    const parts = JSON.parse(event.data);
    if (waiting) waiting.push(...parts);
    else apply(parts);
  };
  events.onerror = () => say("The server does not answer. These numbers are old.");
}

// A page that nobody sees needs no stream; browsers keep few open to one server.
function look() {
  if (document.hidden === !events) return;
  if (events) {
    events.close();
    events = null;
  } else {
    open();
  }
}

if (live) {
  document.addEventListener("visibilitychange", look);
  look();
}

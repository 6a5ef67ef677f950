// Shows a stream live. When the page is closed, it saves the response so far and the position to resume at.

import { EventStream } from "./stream.js";
import { add, emptyResponse } from "./response.js";

const form = document.querySelector("#source");
const status = document.querySelector("#status");
const main = document.querySelector("#response");
const SAVED = "response";

let stream;
let response;
let source;

function show(key) {
  const item = response.items[key];
  let section = document.getElementById(key);
  if (!section) {
    section = main.appendChild(document.createElement("section"));
    section.id = key;
    section.append(document.createElement("h2"), document.createElement("pre"));
  }
  const [title, text, image] = section.children;
  section.dataset.type = item.type;
  title.textContent = [item.type.replaceAll("_", " "), item.name].filter(Boolean).join(": ");
  text.textContent = Object.values(item.parts).join("\n\n");
  if (item.image) {
    const shown = image ?? section.appendChild(new Image());
    shown.alt = "the generated image";
    shown.src = `data:${item.image.startsWith("/9j/") ? "image/jpeg" : "image/png"};base64,${item.image}`;
  }
}

function report(state) {
  status.dataset.state = state;
  status.textContent =
    `${state}: ${response.status || "no response yet"}; ${response.events} events over ${stream.connections}` +
    ` connection(s) since the page was loaded; ${response.differences} difference(s) between deltas and complete texts`;
}

async function read(saved = {}) {
  stream?.close();
  const url = `${source.gateway}/v1/responses/${encodeURIComponent(source.id)}?stream=true&wait=60`;
  const current = (stream = new EventStream(url, { position: saved.position, token: source.token }));
  response = saved.response ?? emptyResponse();
  main.replaceChildren();
  Object.keys(response.items).forEach(show);
  report("Reading");
  try {
    for await (const event of current) {
      if (current !== stream) break;
      const key = add(response, event);
      if (key !== undefined) show(key);
      report("Reading");
    }
    if (current === stream) report("Complete");
  } catch (error) {
    if (current === stream) report(`Failed with ${error.code ?? error.name}, ${error.message}`);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  source = Object.fromEntries(new FormData(form));
  read();
});

document.querySelector("#cut").addEventListener("click", () => stream?.cut());
document.querySelector("#reload").addEventListener("click", () => location.reload());

addEventListener("pagehide", () => {
  if (!stream) return;
  try {
    sessionStorage.setItem(SAVED, JSON.stringify({ source, position: stream.position, response }));
  } catch {
    sessionStorage.removeItem(SAVED); // quota exceeded: the page will start over at the beginning
  }
});

const saved = JSON.parse(sessionStorage.getItem(SAVED) ?? "null");
if (saved) {
  source = saved.source;
  for (const [name, value] of Object.entries(source)) form.elements[name].value = value;
  read(saved);
}

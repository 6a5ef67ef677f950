// Drives a headless Chromium: reads a command per line from standard input, as a JSON array, and prints its result.

import { chromium } from "playwright-core";
import readline from "node:readline";

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 900, height: 1100 } });
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));

const commands = {
  open: (url) => page.goto(url).then(() => null),

  async read(gateway, id) {
    await page.fill("[name=gateway]", gateway);
    await page.fill("[name=id]", id);
    await page.click("text=Read");
    return null;
  },

  press: (selector) => page.click(selector).then(() => null),

  // Wait until the page has shown this many events, or has this status.
  events: (count) => waited((count) => Number(/(\d+) events/.exec(document.querySelector("#status").textContent)?.[1]) >= count, count),
  status: (state) => waited((state) => document.querySelector("#status").dataset.state === state, state),

  state: () =>
    page.evaluate(() => ({
      status: document.querySelector("#status").textContent,
      items: [...document.querySelectorAll("section")].map((section) => ({
        type: section.dataset.type,
        title: section.querySelector("h2").textContent,
        text: section.querySelector("pre").textContent,
        image: section.querySelector("img")?.src ?? null,
        width: section.querySelector("img")?.naturalWidth ?? null,
      })),
    })),

  screenshot: (path) => page.screenshot({ path }).then(() => null),

  // Reads with the browser's EventSource, which reconnects automatically, until [DONE] or an error from the gateway.
  eventSource: (url, types) =>
    page.evaluate(
      ([url, types]) =>
        new Promise((resolve) => {
          const source = new EventSource(url);
          const received = [];
          let connections = 0;
          const end = (how) => (source.close(), resolve({ received, connections, how }));
          source.onopen = () => connections++;
          source.onmessage = ({ data }) => (data === "[DONE]" ? end("done") : received.push(data));
          source.onerror = ({ data }) => (data ? end(data) : source.readyState === EventSource.CLOSED && end("closed"));
          for (const type of types) source.addEventListener(type, ({ data }) => received.push(data));
        }),
      [url, types],
    ),

  // Runs a script that creates an EventSource `source` on a page; returns its log messages until the source is closed.
  async run(url, script) {
    await page.goto(url);
    const logged = [];
    const log = (message) => message.type() === "log" && logged.push(message.text());
    page.on("console", log);
    await page.evaluate(
      (script) =>
        new Function(`${script}; return new Promise((resolve) => {
          const ended = () => source.readyState === 2 ? resolve() : setTimeout(ended, 50);
          ended();
        });`)(),
      script,
    );
    page.off("console", log);
    return logged;
  },

  errors: () => errors,
};

function waited(condition, argument) {
  return page.waitForFunction(condition, argument, { timeout: 120_000 }).then(() => null);
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [name, ...parameters] = JSON.parse(line);
  console.log(JSON.stringify(await commands[name](...parameters)));
}
await browser.close();

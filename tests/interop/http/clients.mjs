// Reads a stream with one of the clients that people have, and prints what it gives, a JSON value a line.
// Usage: node clients.mjs CLIENT BASE_URL ID [STARTING_AFTER]

import { createOpenAI } from "@ai-sdk/openai";
import { HTTPClient, OpenRouter } from "@openrouter/sdk";
import { streamText } from "ai";
import OpenAI from "openai";

const [client, baseURL, id, startingAfter] = process.argv.slice(2);
const parameters = startingAfter === undefined ? {} : { starting_after: Number(startingAfter) };
const url = `${baseURL}/responses/${id}?${new URLSearchParams({ stream: "true", ...parameters })}`;

function print(value) {
  console.log(JSON.stringify(value));
}

const clients = {
  async openai() {
    const openai = new OpenAI({ baseURL, apiKey: "viewer" });
    for await (const event of await openai.responses.retrieve(id, { stream: true, ...parameters })) print(event);
  },

  async snapshot() {
    print(await new OpenAI({ baseURL, apiKey: "viewer" }).responses.retrieve(id));
  },

  // The SDK has no call for a response that is there already: its request goes to the gateway instead.
  async openrouter() {
    const httpClient = new HTTPClient();
    httpClient.addHook("beforeRequest", () => new Request(url, { headers: { accept: "text/event-stream" } }));
    const openrouter = new OpenRouter({ apiKey: "viewer", httpClient });
    for await (const event of await openrouter.beta.responses.send({ input: "", stream: true })) print(event);
  },

  // Nor has this one.
  async vercel() {
    const provider = createOpenAI({ apiKey: "viewer", fetch: () => fetch(url) });
    const { fullStream } = streamText({ model: provider.responses("gpt-5-mini"), prompt: "", maxRetries: 0 });
    for await (const part of fullStream) print(part);
  },
};

await clients[client]();

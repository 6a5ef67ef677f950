// Reads a stream with a third-party client, and prints each event that it returns as a line of JSON.
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

  // The SDK cannot read an existing response: the request for a new one is redirected to the gateway.
  async openrouter() {
    const httpClient = new HTTPClient();
    httpClient.addHook("beforeRequest", () => new Request(url, { headers: { accept: "text/event-stream" } }));
    const openrouter = new OpenRouter({ apiKey: "viewer", httpClient });
    for await (const event of await openrouter.beta.responses.send({ input: "", stream: true })) print(event);
  },

  // The same applies to this SDK.
  async vercel() {
    const provider = createOpenAI({ apiKey: "viewer", fetch: () => fetch(url) });
    const { fullStream } = streamText({ model: provider.responses("gpt-5-mini"), prompt: "", maxRetries: 0 });
    for await (const part of fullStream) print(part);
  },
};

await clients[client]();

// Reads a stream from the gateway, and resumes after the last event if the connection breaks.

/** The stream can no longer be read: it failed, does not exist, or the request was rejected. */
export class StreamError extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

const RETRYABLE = [429, 502, 503, 504];

export class EventStream {
  /** The position to resume at: after the last event. It remains valid after a reload of the page. */
  position;
  /** Number of connections so far. */
  connections = 0;
  #url;
  #token;
  #connection;
  #closed = false;

  /**
   * @param {string} url the URL of the events, such as http://127.0.0.1:8080/v1/responses/resp_1?stream=true
   * @param {{ position?: string, token?: string }} options
   */
  constructor(url, { position = "", token = "" } = {}) {
    this.#url = url;
    this.#token = token;
    this.position = position;
  }

  /** Breaks the connection, like a network failure. */
  cut() {
    this.#connection?.abort();
  }

  /** Stops reading. */
  close() {
    this.#closed = true;
    this.cut();
  }

  /** Yields each event exactly once and in order. Throws StreamError if the stream does not become complete. */
  async *[Symbol.asyncIterator]() {
    for (let attempt = 0; ; attempt++) {
      if (attempt > 0) await pause(attempt);
      if (this.#closed) return;
      try {
        for await (const { id, data } of await this.#connect()) {
          if (data === "[DONE]") return;
          const event = JSON.parse(data);
          // All events of the stream have a position. An event without one is an error from the gateway.
          if (!id) throw new StreamError(event);
          this.position = id;
          attempt = 0;
          yield event;
        }
      } catch (error) {
        if (error instanceof StreamError || error instanceof SyntaxError) throw error;
        // Any other error comes from the connection: reconnect.
      }
    }
  }

  async #connect() {
    this.#connection = new AbortController();
    const headers = {};
    if (this.position) headers["Last-Event-ID"] = this.position;
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    const response = await fetch(this.#url, { headers, signal: this.#connection.signal });
    if (response.status === 204) return messages(new Blob(["data: [DONE]\n\n"]).stream());
    if (response.ok) {
      this.connections++;
      return messages(response.body);
    }
    // The gateway or a proxy may recover. An error without the API's JSON comes from a proxy.
    const { error } = await response.json().catch(() => ({}));
    if (!error || RETRYABLE.includes(response.status)) throw new Error(`status ${response.status}`);
    throw new StreamError(error);
  }
}

/** Yields the server-sent events of a body. Drops a truncated last event, as the standard requires. */
async function* messages(body) {
  let rest = "";
  let message = {};
  for await (const text of chunks(body.pipeThrough(new TextDecoderStream()))) {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if ("data" in message) yield message;
        message = {};
        continue;
      }
      const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
      message[field] = field === "data" && "data" in message ? `${message.data}\n${value}` : value;
    }
  }
}

/** Yields the chunks of a body, for browsers without async iteration of streams, such as Safari. */
async function* chunks(body) {
  const reader = body.getReader();
  try {
    for (let chunk; !(chunk = await reader.read()).done; ) yield chunk.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

function pause(attempt) {
  const limit = Math.min(5000, 100 * 2 ** attempt);
  return new Promise((resolve) => setTimeout(resolve, limit * (0.5 + Math.random() / 2)));
}

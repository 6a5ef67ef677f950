// Reads a stream of the gateway, and resumes behind its last event when the connection breaks.

/** The stream cannot be read any further: it failed, is gone, or the request was refused. */
export class StreamError extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

const RETRIED = [429, 502, 503, 504];

export class EventStream {
  /** The position behind the last event: where to resume, after a reload too. */
  position;
  /** How often a connection was made. */
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

  /** Breaks the connection, as a network does. */
  cut() {
    this.#connection?.abort();
  }

  /** Ends the reading. */
  close() {
    this.#closed = true;
    this.cut();
  }

  /** Yields each event once, in order, until the stream is complete; throws StreamError where it is not. */
  async *[Symbol.asyncIterator]() {
    for (let attempt = 0; ; attempt++) {
      if (attempt > 0) await pause(attempt);
      if (this.#closed) return;
      try {
        for await (const { id, data } of await this.#connect()) {
          if (data === "[DONE]") return;
          const event = JSON.parse(data);
          // The events of the stream have positions. One without is the gateway's own.
          if (!id) throw new StreamError(event);
          this.position = id;
          attempt = 0;
          yield event;
        }
      } catch (error) {
        if (error instanceof StreamError || error instanceof SyntaxError) throw error;
        // Anything else is the connection's, and ends with the next one.
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
    // The server, or a proxy before it, may be back later; and an error without the API's JSON is that of a proxy.
    const { error } = await response.json().catch(() => ({}));
    if (!error || RETRIED.includes(response.status)) throw new Error(`status ${response.status}`);
    throw new StreamError(error);
  }
}

/** Yields the server-sent events of a body. One that is cut off is left out, as the standard says. */
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

/** The chunks of a body; Safari cannot iterate over it. */
async function* chunks(body) {
  const reader = body.getReader();
  try {
    for (let chunk; !(chunk = await reader.read()).done; ) yield chunk.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

function pause(attempt) {
  const longest = Math.min(5000, 100 * 2 ** attempt);
  return new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
}

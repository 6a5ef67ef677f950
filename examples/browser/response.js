// Builds a response from its events. The state is plain data, so that it can be saved as JSON.

export function emptyResponse() {
  return { status: "", events: 0, differences: 0, items: {} };
}

const DELTAS = {
  "response.output_text.delta": "text",
  "response.refusal.delta": "text",
  "response.reasoning_text.delta": "text",
  "response.reasoning_summary_text.delta": "text",
  "response.function_call_arguments.delta": "arguments",
  "response.custom_tool_call_input.delta": "arguments",
  "response.mcp_call_arguments.delta": "arguments",
  "response.code_interpreter_call_code.delta": "arguments",
};

// The properties with the complete text in the events that end a sequence of deltas.
const WHOLE = ["text", "refusal", "arguments", "input", "code"];

/** Applies an event. Returns the key of the changed item, or undefined. */
export function add(response, event) {
  response.events++;
  if (event.response?.status) response.status = event.response.status;
  const id = event.item_id ?? event.item?.id;
  if (!id) return undefined;
  // The prefix keeps ids from colliding with inherited properties, such as __proto__.
  const key = `item ${id}`;
  const item = (response.items[key] ??= { type: "", name: "", image: "", parts: {} });
  const part = event.summary_index == null ? `part ${event.content_index ?? 0}` : `summary ${event.summary_index}`;
  if (Object.hasOwn(DELTAS, event.type)) {
    item.parts[part] = (item.parts[part] ?? "") + event.delta;
  } else if (event.partial_image_b64) {
    item.image = event.partial_image_b64;
  } else if (event.item) {
    addItem(item, event.item);
  } else if (Object.hasOwn(DELTAS, event.type.replace(/done$/, "delta"))) {
    const whole = WHOLE.map((name) => event[name]).find((value) => typeof value === "string");
    if (whole !== undefined && whole !== (item.parts[part] ?? "")) response.differences++;
  }
  return key;
}

function addItem(item, { type, name, result, action }) {
  item.type = type;
  item.name = name ?? item.name;
  if (type === "image_generation_call" && result) item.image = result;
  if (action) item.parts.action = JSON.stringify(action);
}

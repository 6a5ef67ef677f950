// Parses JSON into values that keep their text, so that nothing is rounded, reordered or reformatted.

export type JsonKind = "string" | "number" | "boolean" | "null" | "array" | "object";

export interface Json {
  kind: JsonKind;
  /** The original text of the value, on one line. */
  text: string;
  /** The members of an object. Of members with the same name, the last one wins, as in `JSON.parse`. */
  members: ReadonlyMap<string, Json>;
  /** The elements of an array. */
  elements: readonly Json[];
}

/** Maximum nesting depth of objects and arrays. */
const MAX_DEPTH = 100;

const KINDS: Record<string, JsonKind> = {
  "{": "object",
  "[": "array",
  '"': "string",
  t: "boolean",
  f: "boolean",
  n: "null",
};
const SPACE = " \t\r\n";
const BETWEEN = `${SPACE},:`;
const AFTER = `${SPACE},]}`;
const NO_MEMBERS: ReadonlyMap<string, Json> = new Map();
const NO_ELEMENTS: readonly Json[] = [];

/** Parses a text. Throws a SyntaxError if it is not JSON or is nested too deeply. */
export function parse(text: string): Json {
  if (!text.isWellFormed()) throw new SyntaxError("the text contains an unescaped lone surrogate");
  JSON.parse(text); // Throws if the text is not valid JSON, which the code below relies on.
  let at = 0;

  function value(depth: number): Json {
    const kind = KINDS[next()] ?? "number";
    const start = at;
    let members = NO_MEMBERS;
    let elements = NO_ELEMENTS;
    switch (kind) {
      case "object":
        members = object(depth + 1);
        break;
      case "array":
        elements = array(depth + 1);
        break;
      case "string":
        string();
        break;
      default:
        while (at < text.length && !AFTER.includes(text[at]!)) at++;
    }
    return { kind, text: oneLine(text.slice(start, at)), members, elements };
  }

  function object(depth: number): ReadonlyMap<string, Json> {
    const members = new Map<string, Json>();
    enter(depth);
    while (next() !== "}") {
      const name = stringValue(string());
      members.set(name, value(depth));
    }
    at++;
    return members;
  }

  function array(depth: number): readonly Json[] {
    const elements = [];
    enter(depth);
    while (next() !== "]") elements.push(value(depth));
    at++;
    return elements;
  }

  function string(): string {
    const start = at;
    do at = text.indexOf('"', at + 1);
    while (isEscaped(text, at));
    at++;
    return text.slice(start, at);
  }

  /** Skips white space, commas and colons, and returns the first character of the next token. */
  function next(): string {
    while (BETWEEN.includes(text[at]!)) at++;
    return text[at]!;
  }

  function enter(depth: number): void {
    if (depth > MAX_DEPTH) throw new SyntaxError(`nested more than ${MAX_DEPTH} levels deep`);
    at++;
  }

  return value(0);
}

/** Returns the value of a JSON string. */
export function stringValue(text: string): string {
  return JSON.parse(text) as string;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}

/** Replaces line ends with spaces. Line ends occur only between tokens, where both are white space. */
function oneLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, " ") : text;
}

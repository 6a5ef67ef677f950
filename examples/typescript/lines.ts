// Splits NDJSON into lines.

/**
 * Yields the non-blank lines of UTF-8 text that arrives in chunks, each with its number. Only LF ends a line; JSON
 * allows a CR before it. `readline` would also split at U+2028, which JSON may contain.
 */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<[number: number, line: string]> {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let number = 0;
  let rest = "";
  for await (const chunk of chunks) {
    const [end, ...more] = utf8.decode(chunk, { stream: true }).split("\n");
    const complete = [rest + end, ...more];
    rest = complete.pop()!;
    for (const line of complete) if (++number && !isBlank(line)) yield [number, line];
  }
  rest += utf8.decode();
  if (!isBlank(rest)) yield [number + 1, rest];
}

function isBlank(line: string): boolean {
  return /^[ \t\r\v\f]*$/.test(line);
}

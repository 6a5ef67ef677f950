// Answers, for lines of `[MESSAGE, INPUT]` on stdin, what npm @openrouter/sdk makes of INPUT as a MESSAGE: a line with
// the JSON text of its value as a JSON string, or `null` where the SDK rejects INPUT.
import { createInterface } from "node:readline";

const parsers = new Map();

async function parserOf(message) {
  if (!parsers.has(message)) {
    const module = await import(`@openrouter/sdk/models/${message.toLowerCase()}.js`);
    parsers.set(message, module[`${message[0].toLowerCase()}${message.slice(1)}FromJSON`]);
  }
  return parsers.get(message);
}

const answers = [];
for await (const line of createInterface({ input: process.stdin })) {
  const [message, input] = JSON.parse(line);
  const result = (await parserOf(message))(input);
  answers.push(JSON.stringify(result.ok ? JSON.stringify(result.value) : null), "\n");
}
process.stdout.write(answers.join(""));

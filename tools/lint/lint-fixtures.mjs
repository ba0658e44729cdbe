import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';

/**
 * Lints texts as if they stood in given files, and prints the rules each of them breaks, as JSON. A process of its
 * own, because ESLint loads its plugins in ways that a test runner's module loader does not follow.
 * Input (standard input): [{ "name", "file", "text" }]. The files must exist: type information is theirs.
 */
// On CI the parser takes each file for linted once, and would keep the types of its first text for all the others.
process.env.TSESTREE_SINGLE_RUN = 'false';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const fixtures = JSON.parse(Buffer.concat(chunks).toString('utf8'));

const eslint = new ESLint({ cwd: fileURLToPath(new URL('../..', import.meta.url)) });
const answer = {};
for (const { name, file, text } of fixtures) {
  const [result] = await eslint.lintText(text, { filePath: file });
  answer[name] = result.messages.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}
console.log(JSON.stringify(answer));

/**
 * Scenario files: blocks of a command, a line of dashes, and what it prints, up to an empty line. Lines with # before a
 * command are comments. With REWRITE_SCENARIOS=1 the outputs are written anew, for a person to review.
 */
import { readFileSync, writeFileSync } from 'node:fs';

export interface ScenarioBlock {
  readonly comments: readonly string[];
  readonly command: string;
  readonly expected: string;
}

const separator = '----';

export function parseScenario(text: string): ScenarioBlock[] {
  return text
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter((block) => block.length > 0)
    .map(parseBlock);
}

function parseBlock(block: string): ScenarioBlock {
  const lines = block.split('\n');
  const comments = lines.filter((line) => line.startsWith('#'));
  const rest = lines.slice(comments.length);
  const [command, dashes, ...expected] = rest;
  if (command === undefined) return { comments, command: '', expected: '' };
  if (dashes !== undefined && dashes !== separator) throw new Error(`no ${separator} after '${command}'`);
  return { comments, command, expected: expected.join('\n') };
}

/** Runs every command and compares what it prints, or writes the file anew. */
export function runScenario(
  path: string,
  run: (command: string) => string,
  compare: (actual: string, block: ScenarioBlock) => void,
): void {
  const isRewriting = process.env['REWRITE_SCENARIOS'] === '1';
  const written: string[] = [];
  for (const block of parseScenario(readFileSync(path, 'utf8'))) {
    const { comments, command } = block;
    if (command === '') {
      written.push(comments.join('\n'));
      continue;
    }
    const actual = run(command);
    if (!isRewriting) compare(actual, block);
    written.push([...comments, command, separator, actual].join('\n'));
  }
  if (isRewriting) writeFileSync(path, `${written.join('\n\n')}\n`);
}

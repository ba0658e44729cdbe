/**
 * The options of a script, as a table from which they are read and its help is printed. Plain JavaScript: both happen before
 * anything is installed.
 */
import { parseArgs } from 'node:util';
import { Failure } from './failure.mjs';

export const asksForHelp = (args) => args.includes('--help') || args.includes('-h');

export function helpOf(command, what, table) {
  const options = [...Object.entries(table), ['help, -h', { text: 'print this text' }]];
  const lines = options.map(([name, { value, text, default: usual }]) => {
    const flag = value === undefined ? `--${name}` : `--${name} <${value}>`;
    return `  ${flag.padEnd(22)}${text}${usual === undefined ? '' : ` (default: ${usual})`}`;
  });
  return `Usage: ${command} -- [options]

${what}

Options:
${lines.join('\n')}`;
}

export function refuse(command, sentence) {
  throw new Failure(`${sentence}; see ${command} -- --help.`);
}

/** What was given, as text; options without a value are true. */
export function valuesOf(command, args, table) {
  const typeOf = ({ value }) => ({ type: value === undefined ? 'boolean' : 'string' });
  const types = Object.entries(table).map(([name, option]) => [name, typeOf(option)]);
  try {
    return parseArgs({ args, options: Object.fromEntries(types) }).values;
  } catch (error) {
    // Its first sentence; the others are advice on how to pass odd values, as one that looks like the next option.
    return refuse(command, error.message.split(/\. |\.?\n/)[0].replace('is ambiguous', 'missing'));
  }
}

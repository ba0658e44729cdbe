import { parseArgs } from 'node:util';
import { Failure } from '../bootstrap/failure.mjs';

/** As a Debian has it; any other with glibc does too. */
const BASE = 'docker.io/library/debian:bookworm-slim';

/** The options of `npm run images`. Plain JavaScript: they are read, and the help is printed, before anything is installed. */
export const IMAGE_OPTIONS = {
  image: { value: 'name', default: 'ringleader/ringleader', text: 'the image, with its registry' },
  tag: { value: 'tag', text: 'default: the version in package.json' },
  base: { value: 'image', default: BASE, text: 'what it is built on: a small Debian' },
  'load-kind': { value: 'cluster', text: 'put it into the nodes of this kind cluster' },
  push: { text: 'push it to its registry' },
};

export function imagesHelp() {
  const options = [...Object.entries(IMAGE_OPTIONS), ['help, -h', { text: 'print this text' }]];
  const lines = options.map(([name, { value, text, default: usual }]) => {
    const flag = value === undefined ? `--${name}` : `--${name} <${value}>`;
    return `  ${flag.padEnd(22)}${text}${usual === undefined ? '' : ` (default: ${usual})`}`;
  });
  return `Usage: npm run images -- [options]

Builds the image of all services, with docker.

Options:
${lines.join('\n')}`;
}

/** Undefined when the command line asks for help, whatever else stands on it. */
export function parseImages(args, version) {
  if (args.includes('--help') || args.includes('-h')) return undefined;
  const options = Object.entries(IMAGE_OPTIONS).map(([name, { value, default: usual }]) => [
    name,
    { type: value === undefined ? 'boolean' : 'string', ...(usual === undefined ? {} : { default: usual }) },
  ]);
  try {
    const { values } = parseArgs({ args, options: Object.fromEntries(options) });
    const { image, tag = version, base, push = false, 'load-kind': kindCluster } = values;
    for (const [name, value] of Object.entries({ image, tag, base, 'load-kind': kindCluster }))
      if (value === '') throw new Error(`Option '--${name}' is empty`);
    return { name: `${image}:${tag}`, tag, base, push, kindCluster };
  } catch (error) {
    throw new Failure(`${error.message.split(/\. |\.?\n/)[0]}; see npm run images -- --help.`);
  }
}

/**
 * The options of `npm start`: their names, texts and defaults. Plain JavaScript without dependencies, because the
 * bootstrap prints the help from here before anything is installed or built; src/options.ts adds what they may hold.
 */
export const START_OPTIONS = {
  shards: { flags: '--shards <n>', text: 'shards, each with a PostgreSQL of its own', default: 3 },
  gateways: { flags: '--gateways <n>', text: 'gateways', default: 1 },
  coordinators: { flags: '--coordinators <n>', text: 'coordinators: 3 or 5', default: 3 },
  nats: { flags: '--nats <n>', text: 'nats-servers: 1, or a cluster of 3 or 5', default: 1 },
  port: {
    flags: '--port <n>',
    text: 'port of the first gateway, the others follow (0: any free one)',
    default: 8080,
  },
  data: { flags: '--data <folder>', text: 'where the data live (default: .ringleader)' },
  ephemeral: { flags: '--ephemeral', text: 'use a temporary folder and remove it at the end' },
  timeout: {
    flags: '--timeout <seconds>',
    text: 'how long the cluster may take to become healthy',
    default: 90,
  },
};

const HELP = { flags: '-h, --help', text: 'print this text' };

/** Whether the command line asks for help, whatever else stands on it. */
export function asksForHelp(args) {
  return args.includes('--help') || args.includes('-h');
}

export function startHelp() {
  const options = [...Object.values(START_OPTIONS), HELP];
  const width = Math.max(...options.map(({ flags }) => flags.length)) + 2;
  const lines = options.map(({ flags, text, default: value }) => {
    const suffix = value === undefined ? '' : ` (default: ${value})`;
    return `  ${flags.padEnd(width)}${text}${suffix}`;
  });
  return [
    'Usage: npm start -- [options]',
    '',
    'Starts a whole Ringleader cluster on this machine, and stops it on Ctrl-C.',
    '',
    'Options:',
    ...lines,
  ].join('\n');
}

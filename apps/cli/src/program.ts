/** The commands of `ringleader`, a file for each noun. */
import tab from '@bomb.sh/tab/commander';
import { RINGLEADER_VERSION } from '@ringleader/contracts';
import { Command } from 'commander';
import { addClusterCommands } from './cluster.js';
import { addGlobalOptions } from './global-options.js';
import { addKeyCommands } from './kv.js';
import { addTransferCommands } from './transfer/transfer.js';

const EXIT_CODES = `
Exit codes: 0 done; 2 usage; 3 not found; 4 a condition does not hold; 5 nothing was done; 6 outcome unknown;
  7 compacted; 130 stopped by Ctrl-C; 1 anything else.`;

export function program(): Command {
  const root = addGlobalOptions(new Command('ringleader'))
    .description('Talks to a Ringleader cluster through its gateways.')
    .version(RINGLEADER_VERSION)
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
  addKeyCommands(root);
  addClusterCommands(root);
  addTransferCommands(root);
  tab(root, { completionCommandName: 'completion' });
  return root;
}

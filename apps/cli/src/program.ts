/** The commands of `ringleader`, a file for each noun. */
import tab from '@bomb.sh/tab/commander';
import { RINGLEADER_VERSION } from '@ringleader/contracts';
import { Command } from 'commander';
import { addClusterCommands } from './cluster.js';
import { addCoordinatorCommands } from './coordinator.js';
import type { Format } from './failure.js';
import { addGlobalOptions } from './global-options.js';
import { addLocalCommands } from './local.js';
import { addKeyCommands } from './kv.js';
import { addMoveCommands } from './moves.js';
import { addRecoverCommand } from './recover.js';
import { addShardCommands } from './shards.js';
import { addTokenCommands } from './token.js';
import { addTransferCommands } from './transfer/transfer.js';

const EXIT_CODES = `
Exit codes: 0 done; 2 usage; 3 not found; 4 a condition does not hold; 5 nothing was done; 6 outcome unknown;
  7 compacted; 130 stopped by Ctrl-C; 1 anything else.`;

const COMPLETION = 'completion';

/**
 * Printed before the script, which asks for a helper of the package bash-completion, which not every machine has, and
 * makes constants, so that a second sourcing would fail: what there is already is left as it is.
 */
const BASH_BEFORE = `readonly() { [[ -v \${1%%=*} ]] || declare -g "$1"; }
if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD
        cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
    }
fi`;
const BASH_AFTER = 'unset -f readonly';

export function program(format: Format = 'text'): Command {
  const command = new Command('ringleader');
  // Before its commands are added: they inherit it.
  if (format === 'json') command.configureOutput({ writeErr: () => undefined });
  const root = addGlobalOptions(command)
    .description('Talks to a Ringleader cluster through its gateways.')
    .version(RINGLEADER_VERSION)
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
  addKeyCommands(root);
  addClusterCommands(root);
  addShardCommands(root);
  addMoveCommands(root);
  addRecoverCommand(root);
  addCoordinatorCommands(root);
  addTokenCommands(root);
  addLocalCommands(root);
  addTransferCommands(root);
  tab(root, { completionCommandName: COMPLETION });
  const isBash = (command: Command): boolean => command.name() === COMPLETION && command.args[0] === 'bash';
  root.hook('preAction', (_, command) => {
    if (isBash(command)) console.log(BASH_BEFORE);
  });
  root.hook('postAction', (_, command) => {
    if (isBash(command)) console.log(BASH_AFTER);
  });
  return root;
}

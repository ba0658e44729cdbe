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

const COMPLETION = 'completion';

/** The script asks for a helper of the package bash-completion, which not every machine has. */
const BASH_HELPER = `if ! declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref() {
        words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD
        cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
    }
fi`;

export function program(): Command {
  const root = addGlobalOptions(new Command('ringleader'))
    .description('Talks to a Ringleader cluster through its gateways.')
    .version(RINGLEADER_VERSION)
    .addHelpText('after', EXIT_CODES)
    .exitOverride();
  addKeyCommands(root);
  addClusterCommands(root);
  addTransferCommands(root);
  tab(root, { completionCommandName: COMPLETION });
  root.hook('preAction', (_, command) => {
    if (command.name() === COMPLETION && command.args[0] === 'bash') console.log(BASH_HELPER);
  });
  return root;
}

import { describe, expect, it, jest } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { program } from './program.js';

describe('completion bash', () => {
  const completion = async (): Promise<string> => {
    const printed: unknown[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
    await program().parseAsync(['node', 'ringleader', 'completion', 'bash']);
    log.mockRestore();
    return printed.join('\n');
  };

  it('can be sourced again, also beside another program that makes the same constants', async () => {
    const script = await completion();
    const values =
      'echo $ShellCompDirectiveError $ShellCompDirectiveKeepOrder; readonly CONSTANT=1; CONSTANT=2';
    for (const before of ['', 'readonly ShellCompDirectiveError=1']) {
      const { stdout, stderr } = spawnSync(
        'bash',
        ['--norc', '-c', `${before}\n${script}\n${script}\n${values}`],
        { encoding: 'utf8' },
      );
      expect(stdout).toBe('1 32\n');
      // It takes nothing away from the shell.
      expect(stderr).toMatch(/^[^\n]*CONSTANT: readonly variable\n$/);
    }
  });

  it('completes words, also without the package bash-completion', async () => {
    const script = `${await completion()}
      # In place of the program: what it is asked, and what it would say.
      ringleader() { echo "$*" >&3; printf '%s\\n' put get --if-absent --if-present :0; }
      complete_words() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=(); __ringleader_complete; echo "\${COMPREPLY[*]}"; }
      exec 3>&1
      complete_words ringleader pu
      complete_words ringleader put --if-p`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(['complete -- pu', 'put', 'complete -- put --if-p', '--if-present']);
  });
});

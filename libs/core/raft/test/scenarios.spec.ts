import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { runScenario } from './scenario-file.js';
import { ScenarioGroup } from './scenario-group.js';

const directory = new URL('../testdata/', import.meta.url);
const names = readdirSync(directory).filter((name) => name.endsWith('.txt'));

describe('scenarios (REWRITE_SCENARIOS=1 writes them anew)', () => {
  it.each(names)('%s', (name) => {
    const group = new ScenarioGroup();
    runScenario(
      fileURLToPath(new URL(name, directory)),
      (command) => group.run(command),
      (actual, { command, expected }) => {
        expect(`${command}\n${actual}`).toBe(`${command}\n${expected}`);
      },
    );
  });
});

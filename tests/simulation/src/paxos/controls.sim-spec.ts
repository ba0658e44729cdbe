import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { RULES } from '@ringleader/paxos';
import { CHECKS } from './checks.js';
import { CONTROLS } from './controls/index.js';
import { ELASTIC_CONTROLS } from '../elastic/controls.js';
import { paxosSuite } from './suite.js';

/**
 * 6.8: what is committed here is never lost, so this simulation knows nothing of losses. The control of that rule stands beside
 * the core, with histories of its own: libs/core/paxos/src/election/recovery.spec.ts.
 */
const RULES_OF_LOSSES: readonly string[] = ['revisionAfter', 'keepsThrough'];

/** The seeds that a control has to be caught within. */
const SEEDS = 250;

/** The check that ended the first run which ended early by one that counts; null where all went on to the end. */
function checkThatCatches(control: string, expected: string): string | null {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { check } = paxosSuite.run({ seed, traceLines: 0, control });
    if (check === expected) return check;
  }
  return null;
}

describe('negative controls: the protocol with one rule broken is caught by the check that is for it', () => {
  it.each(CONTROLS.map((control) => [control.name, control.caughtBy, control.broken] as const))(
    '%s, by "%s": %s',
    (name, caughtBy) => {
      expect(checkThatCatches(name, caughtBy)).toBe(caughtBy);
    },
    120_000,
  );

  it('break every rule of the rules object, each once at least', () => {
    const broken = new Set(CONTROLS.flatMap(({ rules }) => Object.keys(rules)));
    const withoutControl = Object.keys(RULES).filter((rule) => !broken.has(rule));
    expect(withoutControl).toEqual(RULES_OF_LOSSES);
  });

  it('stand in docs/PROTOCOL.md with the check that finds them', () => {
    const document = readFileSync('docs/PROTOCOL.md', 'utf8');
    const rows = document.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    const documented = rows
      .filter((cells) => cells.length === 7 && cells[4] !== undefined && cells[4] in CHECKS)
      .map(([, name, , profile, check]) => [name, profile, check].join(' / '));
    const present = CONTROLS.map(({ name, profile, caughtBy }) => [name, profile.name, caughtBy].join(' / '));
    expect(documented.sort()).toEqual(present.sort());
  });

  it('are there for every name in the rules, or docs/PROTOCOL.md says why not', () => {
    const [rules = '', rest = ''] = readFileSync('docs/PROTOCOL.md', 'utf8').split('## What is built');
    const [, excused = ''] = rest.split('### Controls of the model that are not among them');
    const named = [...rules.matchAll(/`\[([A-Z]\w+(?:, [A-Z]\w+)*)\]`/g)].flatMap(([, list = '']) =>
      list.split(', '),
    );
    const present = new Set([...CONTROLS, ...ELASTIC_CONTROLS].map(({ name }) => name));
    const absent = named.filter((name) => !present.has(name) && !excused.includes(`**${name}**`));
    expect(named.length).toBeGreaterThan(CONTROLS.length);
    expect(absent).toEqual(['Name']);
  });

  it('have names of their own and name checks that there are', () => {
    const names = CONTROLS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(CONTROLS.filter(({ caughtBy }) => !(caughtBy in CHECKS))).toEqual([]);
  });
});

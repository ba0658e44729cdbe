import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ELASTIC_CHECKS, SHAPE_CHECKS } from './checks.js';
import { ELASTIC_CONTROLS } from './controls.js';
import { elasticSuite } from './suite.js';

/** The seeds that a control has to be caught within. */
const SEEDS = 100;

function checkThatCatches(control: string, expected: string): string | null {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { check } = elasticSuite.run({ seed, traceLines: 0, control });
    if (check === expected) return check;
  }
  return null;
}

describe('negative controls: placement with one rule broken is caught by the check that is for it', () => {
  it.each(ELASTIC_CONTROLS.map((control) => [control.name, control.caughtBy, control.about] as const))(
    '%s, by "%s": %s',
    (name, caughtBy) => {
      expect(checkThatCatches(name, caughtBy)).toBe(caughtBy);
    },
    120_000,
  );

  it('stand in docs/PROTOCOL.md with the check that finds them', () => {
    const document = readFileSync('docs/PROTOCOL.md', 'utf8');
    const rows = document.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    const documented = rows
      .filter((cells) => cells.length === 8 && cells[5] === 'elastic')
      .map(([, name, , profile, check]) => [name, profile, check].join(' / '));
    const present = ELASTIC_CONTROLS.map(({ name, profile, caughtBy }) =>
      [name, profile.name, caughtBy].join(' / '),
    );
    expect(documented.sort()).toEqual(present.sort());
  });

  it('have names of their own and name checks that there are', () => {
    const names = ELASTIC_CONTROLS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(ELASTIC_CONTROLS.filter(({ caughtBy }) => !(caughtBy in ELASTIC_CHECKS))).toEqual([]);
  });

  it('use each check of the shape, or it is of no proven worth', () => {
    const used = new Set<string>(ELASTIC_CONTROLS.map(({ caughtBy }) => caughtBy));
    expect(Object.keys(SHAPE_CHECKS).filter((check) => !used.has(check))).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { PROBLEM_FIELDS } from '../rest/problem.js';
import { ERROR_CATALOGUE } from './catalogue.js';
import type { ErrorEntry } from './catalogue.js';

const document = readFileSync(new URL('../../../../docs/ERRORS.md', import.meta.url), 'utf8');

/** Rows of the form "| `CODE` | status | retry | ... |". */
const documented = [...document.matchAll(/^\|\s+`([A-Z_]+)`\s+\|\s+(\d+)\s+\|\s+([a-z-]+)\s+\|.+\|$/gm)].map(
  ([, code = '', status, retry]) => ({ code, httpStatus: Number(status), retry }),
);

/** Rows of the form "| `CODE` | `field`, `field`: ... |". */
const documentedFields = [...document.matchAll(/^\|\s+`([A-Z_]+)`\s+\|\s+(`[a-z].*)\|$/gm)].map(
  ([, code = '', fields = '']) => [code, [...fields.matchAll(/`([a-zA-Z]+)`/g)].map(([, field]) => field)],
);

describe('docs/ERRORS.md', () => {
  it('lists the fields of every problem document', () => {
    const withFields = Object.entries(PROBLEM_FIELDS).filter(([, fields]) => fields.length > 0);
    expect(Object.fromEntries(documentedFields)).toEqual(Object.fromEntries(withFields));
  });

  it('names the codes that no restart mends', () => {
    const [, sentence = ''] =
      /No restart mends these,.*?: (.*?)\./.exec(document.replace(/\(.*?\)/g, '')) ?? [];
    const named = [...sentence.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code);
    const entries: [string, ErrorEntry][] = Object.entries(ERROR_CATALOGUE);
    expect(named).toEqual(
      entries
        .filter(([, entry]) => entry.outlivesRestart)
        .map(([code]) => code)
        .sort(),
    );
  });

  it('lists every code of the catalogue with its status and retry class, once', () => {
    const catalogue = Object.entries(ERROR_CATALOGUE).map(([code, { httpStatus, retry }]) => ({
      code,
      httpStatus,
      retry,
    }));
    const byCode = (a: { code: string }, b: { code: string }): number => (a.code < b.code ? -1 : 1);
    expect(documented.sort(byCode)).toEqual(catalogue.sort(byCode));
  });
});

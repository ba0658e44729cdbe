import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { driftOf } from './drift.js';
import { isSameQuantity, nanosOf } from './quantity.js';

const container = { name: 'shard', image: 'a', resources: { requests: { cpu: '500m', memory: '1Gi' } } };
const wanted = {
  metadata: { labels: { a: 'b' } },
  spec: { replicas: 3, template: { containers: [container] } },
};

/** The API server speaks JSON, which knows no NaN. */
const JSON_VALUES = [fc.string(), fc.boolean(), fc.double({ noNaN: true }), fc.constant(null)];

describe('drift', () => {
  it('is none where the API server and others have added to it, or say a quantity in other words', () => {
    const resources = { requests: { cpu: '0.5', memory: '1024Mi' } };
    const added = { ...container, imagePullPolicy: 'Always', resources };
    const live = {
      metadata: { ...wanted.metadata, uid: 'u', annotations: { of: 'others' } },
      spec: { ...wanted.spec, template: { containers: [{ name: 'sidecar', image: 'proxy' }, added] } },
    };
    expect(driftOf(wanted, live)).toBeNull();
  });

  it.each<[string, object, object, string | null]>([
    ['a value', { a: { b: 1 } }, { a: { b: 2 } }, 'a.b'],
    ['what is gone', { a: { b: 1 } }, { a: {} }, 'a.b'],
    ['what is of another form', { a: { b: 1 } }, { a: [1] }, 'a'],
    ['an element that is gone', { l: [{ name: 'x' }] }, { l: [] }, 'l.x'],
    ['an element that changed', { l: [{ name: 'x', v: 1 }] }, { l: [{ name: 'x', v: 2 }] }, 'l.x.v'],
    ['a longer list of values', { l: ['a'] }, { l: ['a', 'b'] }, 'l'],
    ['another order of values', { l: ['a', 'b'] }, { l: ['b', 'a'] }, 'l.0'],
    ['a quantity', { limits: { memory: '1Gi' } }, { limits: { memory: '1G' } }, 'limits.memory'],
    ['a text that looks like a quantity', { value: '1000m' }, { value: '1' }, 'value'],
    ['a label more in a selector', { selector: { a: 'b' } }, { selector: { a: 'b', c: 'd' } }, 'selector.c'],
    [
      'a rule more in a selector',
      { podSelector: { matchLabels: {} } },
      { podSelector: { matchLabels: {}, matchExpressions: [{}] } },
      'podSelector.matchExpressions',
    ],
    [
      'a selector of all that selects some',
      { podSelector: {} },
      { podSelector: { a: 'b' } },
      'podSelector.a',
    ],
    ['a list that is to be empty', { ingress: [] }, { ingress: [{}] }, 'ingress'],
    ['what Go leaves out', { a: '', b: [], c: {}, d: false, e: 0 }, {}, null],
    ['what is false no more', { d: false }, { d: true }, 'd'],
    ['a default for what is empty', { emptyDir: {} }, { emptyDir: { medium: '' } }, null],
    [
      'two ports of one number',
      { p: [{ port: 1, protocol: 'UDP' }] },
      {
        p: [
          { port: 1, protocol: 'TCP' },
          { port: 1, protocol: 'UDP' },
        ],
      },
      null,
    ],
  ])('of %s', (_what, applied, live, at) => {
    expect(driftOf(applied, live)).toBe(at);
  });

  it('is never seen in what was applied itself', () => {
    fc.assert(
      fc.property(
        fc.object({ maxDepth: 4, values: JSON_VALUES }),
        (object) => driftOf(object, structuredClone(object)) === null,
      ),
    );
  });
});

describe('quantities', () => {
  it.each([
    ['1', '1000m'],
    ['1Ki', '1024'],
    ['1.5Gi', '1536Mi'],
    ['1e3', '1k'],
    ['0.1', '100m'],
    ['.5', '500m'],
    ['1000000n', '1m'],
    ['2E', '2000P'],
  ])('%s is %s', (a, b) => expect(isSameQuantity(a, b)).toBe(true));

  it.each(['', 'x', '1 Gi', '1GiB', '--1', '0x1'])('%j is none', (text) => expect(nanosOf(text)).toBeNull());
  it('of a number is that of its text', () => expect(isSameQuantity(2, '2000m')).toBe(true));
});

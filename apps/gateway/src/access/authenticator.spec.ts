import { describe, expect, it } from '@jest/globals';
import { OperationalError } from '@ringleader/contracts';
import type { Clock } from '@ringleader/primitives';
import { TestTokens } from '../../test/support/tokens.js';
import { KubernetesTokens } from './kubernetes-tokens.js';

const ACCOUNT = 'apps/ci';
const JWT = 'a.b.c';
const NOW = Date.parse('2026-11-26T00:00:00Z');

function codeOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    if (error instanceof OperationalError) return error.details['reason'] ?? error.code;
    throw error;
  }
}

describe('what a header came to', () => {
  it('is remembered until a record changes', () => {
    const tokens = new TestTokens();
    const token = tokens.add([{ role: 'read', prefix: '' }]);
    const header = `Bearer ${token}`;
    expect(tokens.authenticator.recall(header)).toBe(null);
    const caller = tokens.authenticator.authenticate(header);
    expect(tokens.authenticator.recall(header)).toBe(caller);
    tokens.remove(token);
    expect(tokens.authenticator.recall(header)).toBe(null);
    expect(codeOf(() => tokens.authenticator.authenticate(header))).toBe('unknown');
  });

  it('is not remembered where it came to nothing', () => {
    const tokens = new TestTokens();
    for (const header of ['Bearer x', 'Basic x', `Bearer rl_abcdefgh1234_${'x'.repeat(43)}`]) {
      codeOf(() => tokens.authenticator.authenticate(header));
      expect(tokens.authenticator.recall(header)).toBe(null);
    }
  });

  it('of a limited token keeps its count across changes of other records', () => {
    const tokens = new TestTokens();
    const header = `Bearer ${tokens.add([{ role: 'read', prefix: '' }], { requestsPerSecond: 3 })}`;
    const take = (): boolean => {
      const caller = tokens.authenticator.authenticate(header);
      if (caller instanceof Promise) throw new Error('it is known without asking');
      return caller.bucket?.take(0) ?? true;
    };
    expect([take(), take()]).toEqual([true, true]);
    tokens.add([{ role: 'read', prefix: '' }]);
    expect([take(), take()]).toEqual([true, false]);
  });
});

describe('a token that somebody else issues', () => {
  it('is judged once, and is what all records of its account grant', async () => {
    let judged = 0;
    const tokens = new TestTokens({
      mayKnow: () => true,
      review: () => {
        judged += 1;
        return Promise.resolve({ serviceAccount: ACCOUNT, untilMs: Date.now() + 60_000 });
      },
    });
    tokens.add([{ role: 'read', prefix: 'a/' }], { serviceAccount: ACCOUNT });
    tokens.add([{ role: 'write', prefix: 'b/' }], { serviceAccount: ACCOUNT });
    const header = `Bearer ${JWT}`;
    const caller = await tokens.authenticator.authenticate(header);
    expect(caller.grants.map(({ prefix }) => prefix)).toEqual(['a/', 'b/']);
    expect(await tokens.authenticator.authenticate(header)).toBe(caller);
    expect(judged).toBe(1);
  });

  it('is bounded by the widest of its limits: who may add a record bounds nobody by it', async () => {
    const tokens = new TestTokens({
      mayKnow: () => true,
      review: () => Promise.resolve({ serviceAccount: ACCOUNT, untilMs: Infinity }),
    });
    const limits: (number | undefined)[] = [];
    for (const requestsPerSecond of [1, 5, 2, undefined, 1]) {
      tokens.add([{ role: 'read', prefix: 'a/' }], {
        serviceAccount: ACCOUNT,
        ...(requestsPerSecond !== undefined && { requestsPerSecond }),
      });
      const caller = await tokens.authenticator.authenticate(`Bearer ${JWT}`);
      limits.push(caller.bucket?.perSecond);
    }
    expect(limits).toEqual([1, 5, 5, undefined, undefined]);
  });

  it.each([
    ['nobody’s', null],
    ['of an account that nothing is granted to', { serviceAccount: 'x/y', untilMs: Infinity }],
  ])('is refused where it is %s', async (_, reviewed) => {
    const tokens = new TestTokens({ mayKnow: () => true, review: () => Promise.resolve(reviewed) });
    await expect(tokens.authenticator.authenticate(`Bearer ${JWT}`)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  it('that was granted nothing any more while it was judged is not remembered', async () => {
    const judging = Promise.withResolvers<{ serviceAccount: string; untilMs: number }>();
    const tokens = new TestTokens({ mayKnow: () => true, review: () => judging.promise });
    tokens.add([{ role: 'read', prefix: '' }], { serviceAccount: ACCOUNT });
    const header = `Bearer ${JWT}`;
    const asked = tokens.authenticator.authenticate(header);
    tokens.remove('rl_aaaaaaaaaaa1_');
    judging.resolve({ serviceAccount: ACCOUNT, untilMs: Infinity });
    await expect(asked).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(tokens.authenticator.recall(header)).toBe(null);
  });
});

describe('whether the API server is asked', () => {
  const clock: Clock = { wallMs: () => NOW, monotonicMs: () => 0 };
  const nowhere = { host: '127.0.0.1', port: 1, caFile: '/none', tokenFile: '/none' };
  const isGranted = (account: string): boolean => account === ACCOUNT;
  const kubernetes = new KubernetesTokens({ apiServer: nowhere, clock, isGranted });
  const jwt = (claims: unknown): string =>
    ['{}', JSON.stringify(claims), 'signature']
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');
  const good = { sub: 'system:serviceaccount:apps:ci', aud: ['ringleader'], exp: NOW / 1_000 + 60 };

  it.each([
    [good, true],
    [{ ...good, aud: 'ringleader' }, true],
    [{ ...good, aud: ['https://kubernetes.default.svc'] }, false],
    [{ ...good, exp: NOW / 1_000 }, false],
    [{ ...good, sub: 'system:serviceaccount:apps:other' }, false],
    [{ ...good, sub: 'system:node:apps:ci' }, false],
    [{ ...good, exp: 'soon' }, false],
    ['text', false],
  ])('%j: %s', (claims, expected) => expect(kubernetes.mayKnow(jwt(claims))).toBe(expected));

  it.each(['', 'a.b', 'a.b.c.d', 'a.!.c', '..'])('%j: false', (token) => {
    expect(kubernetes.mayKnow(token)).toBe(false);
  });

  it('and what is said where it does not answer', async () => {
    await expect(kubernetes.review(jwt(good))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

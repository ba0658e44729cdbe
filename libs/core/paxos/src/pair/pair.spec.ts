import { describe, expect, it } from '@jest/globals';
import { NO_STAMP } from '../messages.js';
import { LEASE_RULES } from '../rules/lease-rules.js';
import { ClockJump } from './clock-jump.js';
import { Grants } from './grants.js';
import { Holdings } from './holdings.js';

const L = 600;
const HOLDER = 2;
const GRANTER = 3;

describe('Grants', () => {
  it('begin a new span only after the old one ended', () => {
    const grants = new Grants(7, L);
    grants.renew(HOLDER, 1_000);
    grants.renew(HOLDER, 1_500);
    expect(grants.echo(HOLDER, 42)).toEqual({ incarnation: 7, span: 1, sentAt: 42 });
    grants.renew(HOLDER, 2_100);
    expect(grants.echo(HOLDER, 42).span).toBe(2);
  });

  it('to an incarnation that is gone are not prolonged by its successor', () => {
    const grants = new Grants(7, L);
    expect(grants.hearHeartbeat(HOLDER, 1, 1_000)).toBe(true);
    expect(grants.hearHeartbeat(HOLDER, 2, 1_200)).toBe(true);
    expect(grants.protectsUntil(HOLDER, 1)).toBe(1_600);
    expect(grants.protectsUntil(HOLDER, 2)).toBe(1_800);
    expect(grants.echo(HOLDER, 0).span).toBe(2);
    expect(grants.hearHeartbeat(HOLDER, 1, 1_300)).toBe(false);
    expect(grants.protectsUntil(HOLDER, 1)).toBe(1_600);
  });
});

describe('Grants to an incarnation that never was', () => {
  it('end a lease after its last heartbeat, whatever else renews them, and what is acknowledged stays protected', () => {
    const grants = new Grants(7, L);
    grants.hearHeartbeat(HOLDER, 1, 1_000);
    grants.hearHeartbeat(HOLDER, 2 ** 30, 1_100);
    for (let now = 1_150; now < 1_700; now += 50) {
      grants.renew(HOLDER, now);
      expect(grants.hearHeartbeat(HOLDER, 1, now)).toBe(false);
    }
    grants.renew(HOLDER, 1_700);
    const span = grants.echo(HOLDER, 0).span;
    expect(grants.hearHeartbeat(HOLDER, 1, 1_700)).toBe(true);
    expect(grants.incarnationOf(HOLDER)).toBe(1);
    expect(grants.echo(HOLDER, 0).span).toBe(span + 1);
    expect(grants.protectsUntil(HOLDER, 2 ** 30)).toBe(2_300);
  });
});

describe('Holdings', () => {
  function holdings(): Holdings {
    return new Holdings(LEASE_RULES, L, 0.1);
  }

  it('count from the own sending time, less the drift', () => {
    const held = holdings();
    held.hear(GRANTER, { incarnation: 1, span: 1, sentAt: 1_000 }, 1_200);
    expect(held.runningSpan(GRANTER, 1_539)).toEqual({ incarnation: 1, span: 1 });
    expect(held.runningSpan(GRANTER, 1_540)).toBe(undefined);
  });

  it('end with the span, and take no step back to an older one', () => {
    const held = holdings();
    held.hear(GRANTER, { incarnation: 1, span: 2, sentAt: 1_000 }, 1_010);
    held.hear(GRANTER, { incarnation: 1, span: 1, sentAt: 1_005 }, 1_010);
    expect(held.runningSpan(GRANTER, 1_020)).toEqual({ incarnation: 1, span: 2 });
    held.hear(GRANTER, { incarnation: 2, span: 1, sentAt: NO_STAMP }, 1_020);
    expect(held.runningSpan(GRANTER, 1_021)).toBe(undefined);
  });

  it('of a span that never was give way to what runs, as soon as they do not run themselves', () => {
    const held = holdings();
    held.hear(GRANTER, { incarnation: 1, span: 2, sentAt: 1_000 }, 1_010);
    held.hear(GRANTER, { incarnation: 2 ** 30, span: 9, sentAt: 1_001 }, 1_010);
    held.hear(GRANTER, { incarnation: 1, span: 2, sentAt: 1_500 }, 1_510);
    expect(held.runningSpan(GRANTER, 1_511)?.span).toBe(9);
    held.hear(GRANTER, { incarnation: 1, span: 2, sentAt: 1_600 }, 1_610);
    expect(held.runningSpan(GRANTER, 1_611)).toEqual({ incarnation: 1, span: 2 });
  });

  it('are lost when the clock jumps, with all stamps from before', () => {
    const held = holdings();
    held.hear(GRANTER, { incarnation: 1, span: 1, sentAt: 1_000 }, 1_010);
    held.dropAll(1_020);
    expect(held.runningSpan(GRANTER, 1_021)).toBe(undefined);
    // Nobody knows on which side of the jump a stamp of that very reading was written.
    held.hear(GRANTER, { incarnation: 1, span: 1, sentAt: 1_020 }, 1_030);
    expect(held.runningSpan(GRANTER, 1_031)).toBe(undefined);
    expect(held.isMeasurable(1_020)).toBe(false);
    expect(held.isMeasurable(1_021)).toBe(true);
    held.hear(GRANTER, { incarnation: 1, span: 1, sentAt: 1_019 }, 1_030);
    expect(held.runningSpan(GRANTER, 1_031)).toBe(undefined);
    held.hear(GRANTER, { incarnation: 1, span: 1, sentAt: 1_025 }, 1_030);
    expect(held.runningSpan(GRANTER, 1_031)).toBeDefined();
  });
});

describe('own stamps', () => {
  it.each([L, 60_000])('are known for as long as they count, with a lease of %i ms', (leaseMs) => {
    const held = new Holdings(LEASE_RULES, leaseMs, 0.1);
    const counted = LEASE_RULES.countedLeaseMs(leaseMs, 0.1);
    held.wrote(1_000);
    const now = 1_000 + counted - 1;
    held.forgetOld(now);
    expect(held.isOwn(1_000, now)).toBe(true);
    // Of another shard: an answer that was misdirected.
    expect(held.isOwn(1_001, now)).toBe(false);
  });
});

describe('ClockJump', () => {
  it('sees the wall clock move against the monotonic one, either way', () => {
    const jump = new ClockJump(LEASE_RULES, L, 0.1);
    expect(jump.look(1_000, 50_000)).toBe(false);
    expect(jump.look(1_100, 50_110)).toBe(false);
    expect(jump.look(1_200, 50_300)).toBe(true);
    expect(jump.look(1_300, 50_400)).toBe(false);
    expect(jump.look(1_400, 50_400)).toBe(true);
  });

  it('adds up short suspensions', () => {
    const jump = new ClockJump(LEASE_RULES, L, 0.1);
    const seen = [0, 1, 2, 3, 4].map((times) => jump.look(1_000 + times, 50_000 + times + times * 7));
    expect(seen).toEqual([false, false, false, true, false]);
  });
});

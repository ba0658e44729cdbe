/**
 * The planner in a world of its own: API server and coordinators with all that people and bad luck do to them, and looks that are
 * older than what is looked at. Then the same with one rule of the planner broken: a check must find it, and it is the one that is named.
 * A failure prints seed and path, which `fc.assert`'s options take.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Event, stories } from '../../test/world/events.js';
import { type Setting, Story } from '../../test/world/story.js';
import { Violation } from '../../test/world/violations.js';
import type { WorldRules } from '../../test/world/world.js';
import { PLANNER_RULES, type PlannerRules } from './rules.js';

describe('the planner', () => {
  it('keeps all that is needed, and comes to what is described from anywhere, and then is silent', () => {
    fc.assert(
      fc.property(stories, (events) => {
        const story = new Story();
        story.play(events);
        story.ends();
      }),
      { numRuns: 50 },
    );
  });

  it('deletes a cluster from any state, and keeps its volumes, on which it begins again, if it is told to', () => {
    fc.assert(
      fc.property(stories, fc.boolean(), (events, isKept) => {
        const story = new Story();
        story.play(events);
        story.deletes(isKept ? 'Retain' : 'Delete');
        if (!isKept) return expect(story.world.kube.claims.size).toBe(0);
        story.beginsAgain();
        story.ends();
      }),
      { numRuns: 20 },
    );
  });

  it('founds nothing over what is left of a cluster', () => {
    fc.assert(
      fc.property(stories, (events) => {
        const story = new Story();
        story.play(events);
        story.losesAllLogs();
      }),
      { numRuns: 20 },
    );
  });

  it('lets go in a namespace that is deleted', () => {
    fc.assert(
      fc.property(stories, (events) => {
        const story = new Story();
        story.play(events);
        story.losesNamespace();
      }),
      { numRuns: 20 },
    );
  });
});

interface Control {
  readonly name: string;
  readonly breaks: Partial<PlannerRules>;
  readonly world?: WorldRules;
  /** How its stories begin and end, where chance alone would take long. */
  readonly first?: readonly Event[];
  readonly last?: (story: Story) => void;
  /** The check that finds it. */
  readonly found: string;
}
const CONTROLS: readonly Control[] = [
  {
    name: 'FoundsAgain: takes a cluster that does not answer for one that is not founded',
    breaks: { isFounded: ({ data }) => data !== null },
    last: (story) => story.losesAllLogs(),
    found: 'founds once',
  },
  {
    name: 'DeletesUndrained: needs nobody to say that a volume is given up',
    breaks: { isGivenUp: (member, members) => !(members ?? []).includes(member) },
    found: 'nothing is given up unseen',
  },
  {
    name: 'ScalesAtOnce: stops shards that hold data',
    breaks: { shardsKept: () => 0 },
    found: 'pods of members stay',
  },
  {
    name: 'RemovesUndrained: forgets a shard that is being drained',
    breaks: { mayRemoveShard: (state) => state !== 'active' },
    found: 'removes only what is drained',
  },
  {
    name: 'ScalesOntoOld: makes a shard though the volume of the one before is still there',
    breaks: { isInTheWay: () => false },
    found: 'no pod is made for a volume that goes',
  },
  {
    name: 'DrainsTooMany: leaves fewer than the replication factor',
    breaks: { isEnough: () => true },
    found: 'keeps the replication factor',
  },
  {
    name: 'ChangesTwice: asks for a change of the group while another is under way',
    breaks: { mayChangeGroup: () => true },
    found: 'one change of the group at a time',
  },
  {
    name: 'LosesQuorum: removes a coordinator without whom the others cannot decide',
    breaks: { staysQuorate: () => true },
    found: 'keeps the quorum',
  },
  {
    name: 'TwoAtATime: takes a pod while another is down',
    breaks: { mayDisturb: () => true },
    found: 'one pod at a time',
  },
  {
    name: 'TrustsOldStatus: takes what a controller said of the specification before',
    breaks: { believes: () => true },
    found: 'only what is out of date is rolled',
  },
  {
    name: 'DeletesPastBudget: deletes pods that run, since they are not ready',
    breaks: { isBroken: ({ isReady }) => !isReady },
    found: 'what runs is not deleted',
  },
  {
    name: 'EndsAPersonsPause: lets moves go on, whoever paused them',
    breaks: { isOwnPause: ({ paused }) => paused },
    found: 'what a person paused stays paused',
  },
  {
    name: 'RollsWhileMoving: takes shards while partitions move',
    breaks: { mayRollShards: () => true },
    found: 'moves are paused while shards are rolled',
  },
  {
    name: 'TrustsOldLook: does what was decided on an old look without another',
    breaks: {},
    world: { looksAgain: false },
    // The new shard is killed, and looked at as if it had never registered.
    first: [
      ...([{ kind: 'settle' }, { kind: 'shards', replicas: 4 }, { kind: 'round' }] as const),
      ...([{ kind: 'round' }, { kind: 'kill', pick: 11 }] as const),
      { kind: 'reconcile', endsAfter: 1_000, kubeAge: 0, dataAge: 3 },
    ],
    found: 'no volume goes that is needed',
  },
];

describe.each(CONTROLS)('with a rule broken', ({ name, breaks, found, world, first = [], last }) => {
  it(`${name}: is found`, () => {
    const rules = { ...PLANNER_RULES, ...breaks };
    const seen = new Set<string>();
    // Another check may find it first: the one that is named must find it too.
    for (const events of fc.sample(stories, { numRuns: 2_000, seed: 9 })) {
      const check = foundBy({ rules, ...(world !== undefined && { world }) }, [...first, ...events], last);
      if (check !== null) seen.add(check);
      if (seen.has(found)) break;
    }
    expect([...seen]).toContain(found);
  });
});

function foundBy(setting: Setting, events: readonly Event[], last: Control['last']): string | null {
  try {
    const story = new Story(setting);
    story.play(events);
    last?.(story);
    return null;
  } catch (error) {
    if (error instanceof Violation) return error.check;
    throw error;
  }
}

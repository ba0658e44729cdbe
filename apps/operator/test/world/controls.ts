/** Broken planners. Each breaks one rule, and a check that is named must find it: others may find it first. */
import fc from 'fast-check';
import { PLANNER_RULES, type PlannerRules } from '../../src/planning/rules.js';
import { GOOD_IMAGES } from './cluster-of.js';
import { type Event, stories } from './events.js';
import type { WorldRules } from './executing.js';
import { Story } from './story.js';
import { Violation } from './violations.js';

export interface Control {
  readonly name: string;
  readonly breaks: Partial<PlannerRules>;
  readonly world?: Partial<WorldRules>;
  /** How its stories begin and end, where chance alone would take long. */
  readonly first?: readonly Event[];
  readonly last?: (story: Story) => void;
  /** Of a sample of stories that has one which finds it soon. */
  readonly seed: number;
  /** The check that finds it. */
  readonly found: string;
}
const NOW: Event = { kind: 'reconcile', endsAfter: 1_000, kubeAge: 0, dataAge: 0 };

export const CONTROLS: readonly Control[] = [
  {
    name: 'FoundsAgain: takes a cluster that does not answer for one that is not founded',
    breaks: { isFounded: ({ data }) => data !== null },
    last: (story) => story.losesAllLogs(),
    seed: 1,
    found: 'founds once',
  },
  {
    name: 'DeletesUndrained: needs nobody to say that a volume is given up',
    breaks: { isGivenUp: (member, members) => !(members ?? []).includes(member) },
    seed: 4,
    found: 'nothing is given up unseen',
  },
  {
    name: 'ScalesAtOnce: stops shards that hold data',
    breaks: { shardsKept: () => 0 },
    seed: 7,
    found: 'pods of members stay',
  },
  {
    name: 'RemovesUndrained: forgets a shard that is being drained',
    breaks: { mayRemoveShard: (state) => state !== 'active' },
    seed: 11,
    found: 'removes only what is drained',
  },
  {
    name: 'ScalesOntoOld: makes a shard though the volume of the one before is still there',
    // Down to three shards, until the volume of the fourth is just being deleted; and up again.
    first: [
      ...([{ kind: 'settle' }, { kind: 'shards', replicas: 4 }, { kind: 'settle' }] as const),
      { kind: 'shards', replicas: 3 },
      ...Array.from({ length: 6 }, (): Event => ({ kind: 'round' })),
      NOW,
      ...([{ kind: 'shards', replicas: 4 }, NOW] as const),
    ],
    breaks: { isInTheWay: () => false },
    seed: 1,
    found: 'no pod is made for a volume that goes',
  },
  {
    name: 'DrainsTooMany: leaves fewer than the replication factor',
    breaks: { isEnough: () => true },
    seed: 21,
    found: 'keeps the replication factor',
  },
  {
    name: 'ChangesTwice: asks for a change of the group while another is under way',
    breaks: { mayChangeGroup: () => true },
    seed: 4,
    found: 'one change of the group at a time',
  },
  {
    name: 'LosesQuorum: removes a coordinator without whom the others cannot decide',
    breaks: { staysQuorate: () => true },
    seed: 27,
    found: 'keeps the quorum',
  },
  {
    name: 'TwoAtATime: takes a pod while another is down',
    breaks: { mayDisturb: () => true },
    seed: 9,
    found: 'one pod at a time',
  },
  {
    name: 'TrustsOldStatus: takes what a controller said of the specification before',
    breaks: { believes: () => true },
    seed: 9,
    found: 'only what is out of date is rolled',
  },
  {
    name: 'DeletesPastBudget: deletes pods that run, since they are not ready',
    breaks: { isBroken: ({ isReady }) => !isReady },
    seed: 15,
    found: 'what runs is not deleted',
  },
  {
    name: 'EndsAPersonsPause: lets moves go on, whoever paused them',
    breaks: { isOwnPause: ({ paused }) => paused },
    seed: 12,
    found: 'what a person paused stays paused',
  },
  {
    name: 'RollsWhileMoving: takes shards while partitions move',
    breaks: { mayRollShards: () => true },
    seed: 10,
    found: 'moves are paused while shards are rolled',
  },
  {
    name: 'FollowsOperator: runs the image of the operator where none is named',
    breaks: { imagesKept: (_chosen, operators) => operators },
    first: [
      ...([{ kind: 'settle' }, { kind: 'image', image: undefined }, NOW] as const),
      ...([{ kind: 'upgradeOperator', image: GOOD_IMAGES[1] }, NOW] as const),
    ],
    seed: 1,
    found: 'a newer operator rolls nothing',
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
    seed: 1,
    found: 'no volume goes that is needed',
  },
];

/** So many stories are told at most. */
const STORIES = 20;

/** The checks that find it, up to the one that is named; and by how many stories. */
export function findersOf(control: Control): {
  readonly checks: readonly string[];
  readonly stories: number;
} {
  const checks = new Set<string>();
  let told = 0;
  for (const events of fc.sample(stories, { numRuns: STORIES, seed: control.seed })) {
    told += 1;
    const check = foundBy(control, events);
    if (check !== null) checks.add(check);
    if (check === control.found) break;
  }
  return { checks: [...checks], stories: told };
}

function foundBy({ breaks, world, first = [], last }: Control, events: readonly Event[]): string | null {
  const rules = { ...PLANNER_RULES, ...breaks };
  try {
    const story = new Story({ rules, ...(world !== undefined && { world }) });
    story.play([...first, ...events]);
    last?.(story);
    return null;
  } catch (error) {
    if (error instanceof Violation) return error.check;
    throw error;
  }
}

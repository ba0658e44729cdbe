/** What would be done in a story now, and what people are told. */
import type { Condition, ConditionType } from '@ringleader/contracts';
import { decide } from '../../src/planning/decide.js';
import type { Decision, Observed } from '../../src/planning/types.js';
import { smallObjects } from './manifests.js';
import { Story } from './story.js';
import { FRESH } from './world.js';

export function settled(): Story {
  const story = new Story();
  story.settle();
  return story;
}

export function observed({ world }: Story): Observed {
  const look = world.observe(FRESH);
  if (look === null) throw new Error('there is a cluster');
  return look;
}

export const decided = (story: Story): Decision => decide(observed(story), smallObjects);

export const kindsOf = ({ actions }: Decision): string[] => actions.map(({ kind }) => kind);

const conditionOf = (story: Story, type: ConditionType): Condition | undefined =>
  decided(story).status.conditions?.find((one) => one.type === type);

export function told(story: Story, type: ConditionType): Pick<Condition, 'status' | 'reason'> {
  const condition = conditionOf(story, type);
  if (condition === undefined) throw new Error(`${type} is told`);
  const { status, reason } = condition;
  return { status, reason };
}

export const messageOf = (story: Story, type: ConditionType): string =>
  conditionOf(story, type)?.message ?? '';

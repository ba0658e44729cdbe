/**
 * What is to be done next for a cluster, and what is to be told of it. Level-triggered: nothing is remembered between two decisions but
 * what stands in the API server and at the coordinators, so whoever decides again after any interruption goes on from there. Each
 * phase is one idea and a file of its own; what cannot be known (no coordinator answers) never makes anything be given up.
 */
import { PAUSED_ANNOTATION } from '@ringleader/contracts';
import { applyWanted } from './applying.js';
import { giveUpClaims, markFounded, markRemoved } from './claims.js';
import { changeGroup } from './coordinators.js';
import { type Context, note, type Part, together } from './course.js';
import { hasFinalizer, letGo, tearDown } from './deletion.js';
import { isPaused, wrongRotations } from './asked.js';
import { sizeVolumes } from './growing.js';
import { strangerIn, tellStranger } from './identity.js';
import { chooseImages } from './images.js';
import { rollPods } from './rolling.js';
import { PLANNER_RULES, type PlannerRules } from './rules.js';
import { shapeOf } from './shape.js';
import { foundedOtherwise, placeShards } from './shards.js';
import { statusOf } from './status.js';
import type { Action, Decision, Observed, OwnedObjects } from './types.js';

/** While something is waited for that no watch tells of. */
const SOON_MS = 2_000;
/** What the coordinators say is told in the status, and nobody tells when it changes. */
const NOW_AND_THEN_MS = 15_000;

export function decide(seen: Observed, wanted: OwnedObjects, rules: PlannerRules = PLANNER_RULES): Decision {
  const stranger = strangerIn(seen);
  const observed = stranger === null ? seen : { ...seen, data: null };
  const context = contextOf(observed, wanted, rules);
  const part = together(course(context), tellStranger(seen, stranger));
  const status = statusOf(context, part.notes);
  return { actions: part.actions, status, lookAgainMs: lookAgainMs(observed, part) };
}

function contextOf(observed: Observed, wanted: OwnedObjects, rules: PlannerRules): Context {
  const images = chooseImages(observed, rules);
  const shape = shapeOf(observed, rules, images.run);
  const isFounded = rules.isFounded(observed);
  return { observed, rules, images, shape, wanted: wanted(observed.cluster, shape), isFounded };
}

function course(context: Context): Part {
  const { observed } = context;
  const { metadata } = observed.cluster;
  if (observed.isNamespaceTerminating) return letGo(observed);
  if (metadata.deletionTimestamp !== undefined) return tearDown(observed);
  if (isPaused(observed.cluster)) {
    return note('refused', 'Paused', `The annotation ${PAUSED_ANNOTATION} is there: nothing is changed`);
  }
  if (!hasFinalizer(observed)) {
    const action: Action = { kind: 'addFinalizer', why: 'So that the cluster is deleted in order' };
    return together({ actions: [action], notes: [] }, note('doing', 'Founding', 'It begins'));
  }
  // What others look at again comes last: they may refuse it, and nothing else is to suffer from that.
  return together(
    { actions: [], notes: context.images.notes },
    {
      actions: [],
      notes: [...wrongRotations(observed.cluster, observed.nowMs), ...foundedOtherwise(observed)],
    },
    markFounded(context),
    markRemoved(context),
    applyWanted(context),
    sizeVolumes(context),
    rollPods(context),
    giveUpClaims(context),
    changeGroup(context),
    placeShards(context),
  );
}

function lookAgainMs(observed: Observed, { actions, notes }: Part): number | null {
  if (observed.isNamespaceTerminating) return null;
  const isBusy = actions.length > 0 || notes.some(({ kind }) => kind === 'doing');
  return isBusy ? SOON_MS : NOW_AND_THEN_MS;
}

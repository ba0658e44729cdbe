/** The conditions by KEP-1623. Each is one question; its reason says what is wrong in a word, its message in sentences. */
import type { Condition, ConditionType } from '@ringleader/contracts';
import type { Context } from './course.js';
import { podsOf, seatedMembers } from './seen.js';
import { COMPONENTS, type Component, type Note, type Observed } from './types.js';

type Answer = Pick<Condition, 'status' | 'reason' | 'message'>;
const AS_EXPECTED = 'AsExpected';
export const CONDITION_MESSAGE_MAX = 32_768;

export function conditionsOf(context: Context, notes: readonly Note[]): Condition[] {
  const quorate = isQuorate(context);
  return [
    condition(context, 'Available', isAvailable(context, quorate)),
    condition(context, 'Progressing', isProgressing(notes)),
    condition(context, 'Degraded', isDegraded(context, notes, quorate)),
    condition(context, 'Quorate', quorate),
    condition(context, 'Rebalancing', isRebalancing(context)),
  ];
}

/** Since when is since when it has this status: a new reason or sentence is no transition. */
function condition({ observed }: Context, type: ConditionType, answer: Answer): Condition {
  const { metadata, status } = observed.cluster;
  const before = status?.conditions?.find((one) => one.type === type);
  const now = new Date(observed.nowMs).toISOString();
  return {
    type,
    ...answer,
    message: answer.message.slice(0, CONDITION_MESSAGE_MAX),
    observedGeneration: metadata.generation,
    lastTransitionTime: before?.status === answer.status ? before.lastTransitionTime : now,
  };
}

const yes = (message: string, reason = AS_EXPECTED): Answer => ({ status: 'True', reason, message });
const no = (reason: string, message: string): Answer => ({ status: 'False', reason, message });

function isQuorate({ observed, isFounded }: Context): Answer {
  const members = seatedMembers(observed);
  if (members === null) {
    if (!isFounded) return no('Founding', 'The group of the coordinators is not founded yet');
    const replicas = observed.workloads.coordinator?.replicas ?? 0;
    const ready = podsOf(observed, 'coordinator').filter(({ isReady }) => isReady).length;
    return ready > replicas / 2
      ? { status: 'Unknown', reason: 'Unreachable', message: 'No coordinator answers the operator' }
      : no('NoQuorum', `No coordinator answers; ${ready} of ${replicas} are ready`);
  }
  const voters = members.filter(({ role }) => role !== 'learner');
  const heard = voters.filter(({ reachable }) => reachable).length;
  if (heard <= voters.length / 2) return no('NoQuorum', `The leader hears ${heard} of ${voters.length}`);
  return yes('A majority of the coordinators is there');
}

function isAvailable({ observed, shape }: Context, quorate: Answer): Answer {
  const { data } = observed;
  if (data === null || quorate.status !== 'True') return { ...quorate, message: quorate.message };
  if (data.shards.length === 0) return no('WaitingForShards', 'There is no partition map yet');
  const { partitionsWithoutMajority: without } = data;
  if (without === null) return { status: 'Unknown', reason: 'Unknown', message: 'Leaders are not known' };
  if (without > 0) return no('PartitionsWithoutMajority', `${without} partitions serve nothing`);
  const gateways = podsOf(observed, 'gateway').filter(({ isReady }) => isReady).length;
  if (shape.replicas.gateway > 0 && gateways === 0) return no('NoGateway', 'No gateway is ready');
  return yes('All partitions are served');
}

function isProgressing(notes: readonly Note[]): Answer {
  const doing = notes.filter(({ kind }) => kind === 'doing');
  const refused = notes.filter(({ kind }) => kind === 'refused');
  const message = sentences([...doing, ...refused]);
  const [first] = doing;
  if (first !== undefined) return yes(message, first.reason);
  const [refusal] = refused;
  if (refusal !== undefined) return no(refusal.reason, message);
  return no(AS_EXPECTED, 'All is as it is described');
}

function isDegraded(context: Context, notes: readonly Note[], quorate: Answer): Answer {
  const { observed } = context;
  const faults = [
    ...(observed.data === null && context.isFounded && !notes.some(({ reason }) => reason === 'OtherCluster')
      ? [amiss(quorate.status === 'True' ? 'Unreachable' : quorate.reason, quorate.message)]
      : []),
    // Before all that it may be the cause of: somebody has to do something about it.
    ...notes.filter(isAmiss),
    ...troubledPods(observed),
    ...missingPods(context),
    ...lostVolumes(observed),
    ...unreadableRecords(observed),
    ...silentMembers(observed),
  ];
  const [first] = faults;
  return first === undefined
    ? no(AS_EXPECTED, 'Everything is there, and well')
    : yes(sentences(faults), first.reason);
}

/** Asked for and not done, and nothing is wrong with what there is. */
const HARMLESS: readonly string[] = ['Paused', 'VolumesCannotShrink', 'FoundedOtherwise'];
const isAmiss = ({ kind, reason }: Note): boolean =>
  kind === 'amiss' || (kind === 'refused' && !HARMLESS.includes(reason));
const amiss = (reason: string, message: string): Note => ({ kind: 'amiss', reason, message });

/** Pods that are not ready, the worst first; what runs and is not ready says so by itself. */
function troubledPods({ pods }: Observed): Note[] {
  return pods
    .filter(({ isReady, isTerminating }) => !isReady && !isTerminating)
    .sort((a, b) => Number(isVague(a.trouble)) - Number(isVague(b.trouble)) || (a.name < b.name ? -1 : 1))
    .map(({ name, trouble, since }) =>
      amiss(reasonOf(trouble), `${name} is not ready since ${since}: ${trouble}`),
    );
}
const VAGUE = ['', 'NotReady', 'ContainerCreating', 'PodInitializing'];
const isVague = (trouble: string): boolean => VAGUE.includes(trouble);
/** Of Kubernetes, which may be anything. */
const reasonOf = (trouble: string): string =>
  !isVague(trouble) && /^[A-Za-z][A-Za-z0-9]*$/.test(trouble) ? trouble : 'PodNotReady';

function missingPods({ observed, shape }: Context): Note[] {
  const missing = (component: Component): Note[] => {
    const wanted = Math.min(shape.replicas[component], observed.workloads[component]?.replicas ?? 0);
    const here = podsOf(observed, component).filter(({ isTerminating }) => !isTerminating).length;
    if (here >= wanted) return [];
    const why = observed.whyMissing[component];
    const message = `${wanted - here} pods of ${component} are missing`;
    return [amiss('PodMissing', why === undefined ? message : `${message} (${why})`)];
  };
  return COMPONENTS.flatMap(missing);
}

function lostVolumes({ claims, pods }: Observed): Note[] {
  return claims
    .filter(({ isTerminating }) => isTerminating)
    .filter(({ component, ordinal }) =>
      pods.some((pod) => pod.component === component && pod.ordinal === ordinal && pod.isReady),
    )
    .map(({ name }) => amiss('VolumeTerminating', `${name} is deleted as soon as its pod ends`));
}

/** Some of thousands say enough. */
const RECORDS_NAMED_MAX = 5;

function unreadableRecords({ data }: Observed): Note[] {
  const keys = data?.unreadable ?? [];
  if (keys.length === 0) return [];
  const named = keys.slice(0, RECORDS_NAMED_MAX).join(', ');
  const more =
    keys.length > RECORDS_NAMED_MAX ? `${named}, and ${keys.length - RECORDS_NAMED_MAX} more` : named;
  const message = `Records of the coordinators cannot be read: ${more}; no shard is taken for an update meanwhile`;
  return [amiss('RecordsUnreadable', message)];
}

function silentMembers({ data }: Observed): Note[] {
  if (data === null) return [];
  const silent = data.coordinators.members
    .filter(({ reachable }) => !reachable)
    .map(({ name }) => amiss('CoordinatorSilent', `The coordinators’ leader does not hear ${name}`));
  const corrupt = data.coordinators.members
    .filter((member) => member.corrupt === true)
    .map(({ name }) => amiss('CoordinatorCorrupt', `The store of ${name} differs from that of the majority`));
  const down = data.shards
    .filter(({ verdict, state }) => verdict === 'down' && state !== 'drained' && state !== 'replaced')
    .map(({ shard }) => amiss('ShardDown', `${shard} is down`));
  const blocked = data.plan?.blocked ?? null;
  return [...silent, ...corrupt, ...down, ...(blocked === null ? [] : [amiss('MovesBlocked', blocked)])];
}

function isRebalancing({ observed, rules }: Context): Answer {
  const plan = observed.data?.plan ?? null;
  if (plan === null) {
    return observed.data === null
      ? { status: 'Unknown', reason: 'Unreachable', message: 'No coordinator answers the operator' }
      : no(AS_EXPECTED, 'There is no partition map yet');
  }
  if (plan.paused) {
    return rules.isOwnPause(plan)
      ? no('PausedForUpdate', 'Moves wait for the update of the shards')
      : no('Paused', 'A person has paused moves: ringleader moves resume');
  }
  if (plan.movesTotal === 0) return no(AS_EXPECTED, 'All partitions are where they belong');
  return yes('Partitions are being moved: status.moves', 'Moving');
}

function sentences(notes: readonly Note[]): string {
  return [...new Set(notes.map(({ message }) => message))].join('. ');
}

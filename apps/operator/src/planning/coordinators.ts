/**
 * The group of the coordinators, one change at a time: whoever lost its volume is replaced, who is too many is removed (never the
 * leader: it hands over first), who has come is added. What is next follows from the members alone, so it is the same whoever
 * decides it, and however often.
 */
import { act, type Context, NOTHING, note, type Part } from './course.js';
import { applicantSeats, isGroupChanging, podAt, seatedMembers, type SeatedMember } from './seen.js';
import { memberName } from './seen.js';

const REASON = 'ChangingCoordinators';

export function changeGroup(context: Context): Part {
  const members = seatedMembers(context.observed);
  if (members === null || !context.isFounded) return NOTHING;
  return replaceLost(context, members) ?? removeSurplus(context, members) ?? addNext(context, members);
}

const indexOf = ({ observed }: Context): number => observed.data?.coordinators.index ?? 0;
const waits = (message: string): Part => note('doing', REASON, message);

/** An applicant at the seat of a member that is silent has another id: an empty volume. */
function replaceLost(context: Context, members: readonly SeatedMember[]): Part | null {
  const { observed, rules } = context;
  // Learners first: nobody else can be let in before them. Of one that replaces a voter, the learner is the one that was lost.
  const seated = [...members].sort((a, b) => Number(b.role === 'learner') - Number(a.role === 'learner'));
  const applicants = applicantSeats(observed);
  const lost = seated.find(
    ({ seat, id, reachable }) => !reachable && applicants.some((one) => one.seat === seat && one.id !== id),
  );
  if (lost === undefined) return null;
  const { seat, name } = lost;
  const others = members.filter((member) => member !== lost && member.role === 'learner');
  if (!rules.mayChangeGroup(observed.data?.coordinators.joint === true || others.length > 0)) {
    return waits(`${name} is replaced once the change before is over`);
  }
  const why = `${name} has come back with an empty volume: the new one takes its place`;
  return act({ kind: 'replaceCoordinator', seat, ifIndex: indexOf(context), why }, REASON);
}

function removeSurplus(context: Context, members: readonly SeatedMember[]): Part | null {
  const { observed, rules } = context;
  const wanted = observed.cluster.spec.coordinators.replicas;
  const [surplus] = members.filter(({ seat }) => seat > wanted);
  if (surplus === undefined) return null;
  const { name, seat } = surplus;
  const others = members.filter((member) => member.role === 'learner' && member !== surplus);
  if (!rules.mayChangeGroup(observed.data?.coordinators.joint === true || others.length > 0)) {
    return waits(`${name} is removed once the change before is over`);
  }
  const staying = members.filter((member) => member !== surplus && member.role !== 'learner');
  if (!rules.staysQuorate(staying)) {
    const message = `${name} is not removed: those who stay would not be a majority that is heard`;
    return note('refused', 'QuorumAtRisk', message);
  }
  if (surplus.role === 'leader') {
    const to = staying.filter(({ reachable }) => reachable).at(-1)?.seat ?? null;
    return act(
      { kind: 'transferLeader', to, why: `${name} leads, and is to be removed: it hands over first` },
      REASON,
    );
  }
  const why = `${name} is to go: ${wanted} coordinators are asked for`;
  return act({ kind: 'removeCoordinator', seat, ifIndex: indexOf(context), why }, REASON);
}

function addNext(context: Context, members: readonly SeatedMember[]): Part {
  const { observed, rules } = context;
  const wanted = observed.cluster.spec.coordinators.replicas;
  const missing = Array.from({ length: wanted }, (_, i) => i + 1).filter(
    (seat) => !members.some((member) => member.seat === seat),
  );
  const [seat] = missing;
  const isChanging = isGroupChanging(observed);
  if (!rules.mayChangeGroup(isChanging)) {
    const learners = members.filter(({ role }) => role === 'learner').map(({ name }) => name);
    return waits(
      learners.length > 0
        ? `${learners.join(', ')} votes once it has caught up`
        : 'A change of the group is under way',
    );
  }
  if (seat === undefined) return NOTHING;
  const name = memberName('coordinator', seat);
  if (!applicantSeats(observed).some((applicant) => applicant.seat === seat)) {
    const pod = podAt(observed, 'coordinator', seat);
    const state = pod === undefined ? 'has no pod yet' : `has not asked to be let in yet${trouble(pod)}`;
    return waits(`${name} is added once it asks: it ${state}`);
  }
  const why = `${name} asks to be let in: it learns first, and votes once it has caught up`;
  return act({ kind: 'addCoordinator', seat, ifIndex: indexOf(context), why }, REASON);
}

const trouble = ({ trouble: reason }: { readonly trouble: string }): string =>
  reason === '' ? '' : ` (${reason})`;

/** A snapshot of the coordinators' store on its way to an operator: part by part from one member. */
import { OperationalError, coordinatorName, coordinatorSeat } from '@ringleader/contracts';
import type { Coordination } from '@ringleader/service-host';

type Members = Pick<Coordination, 'members' | 'askMember'>;

/** An answer that was lost is asked for again. */
const ATTEMPTS = 4;

export interface SnapshotStream {
  readonly revision: number;
  /** Ends at the member, too, when nobody wants more of it. */
  readonly bytes: AsyncGenerator<Uint8Array, void>;
  /** Where nothing of it is read. */
  close(): Promise<void>;
}

/** From the leader, where no seat is named. Nothing has been sent to the client when it throws. */
export async function openSnapshotStream(
  coordination: Members,
  from: number | null,
  options: { readonly timeoutMs: number },
): Promise<SnapshotStream> {
  const { leader, members } = await coordination.members(options);
  const name = from === null ? leader : coordinatorName(from);
  const names = members.map((member) => member.name);
  // A leader that was removed leads until that is done.
  if (from !== null && !names.includes(name)) {
    const detail = `${name} is no member of the group`;
    throw new OperationalError('MEMBER_NOT_FOUND', detail, { name, members: names });
  }
  const seat = coordinatorSeat(name);
  if (seat === null) throw new OperationalError('UNAVAILABLE', 'The coordinators have no leader');
  const { snapshot, revision } = await coordination.askMember(seat, 'openSnapshot', {}, options);
  const close = (): Promise<void> => closeAt(coordination, seat, snapshot);
  return { revision, bytes: partsOf(coordination, seat, snapshot), close };
}

async function closeAt(coordination: Members, seat: number, snapshot: string): Promise<void> {
  try {
    await coordination.askMember(seat, 'closeSnapshot', { snapshot });
  } catch (error) {
    // The member is away, or older than this: it gives the snapshot up by itself.
    if (!(error instanceof OperationalError)) throw error;
  }
}

async function* partsOf(
  coordination: Members,
  seat: number,
  snapshot: string,
): AsyncGenerator<Uint8Array, void> {
  let isWhole = false;
  try {
    for (let part = 0; !isWhole; part += 1) {
      const { dataBase64, isLast } = await readPart(coordination, seat, { snapshot, part });
      isWhole = isLast;
      yield Buffer.from(dataBase64, 'base64');
    }
  } finally {
    if (!isWhole) await closeAt(coordination, seat, snapshot);
  }
}

async function readPart(
  coordination: Members,
  seat: number,
  asked: { readonly snapshot: string; readonly part: number },
): Promise<{ readonly dataBase64: string; readonly isLast: boolean }> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await coordination.askMember(seat, 'readSnapshot', asked);
    } catch (error) {
      const isLost = error instanceof OperationalError && error.code === 'DEADLINE_EXCEEDED';
      if (!isLost || attempt === ATTEMPTS) throw error;
    }
  }
}

/** A snapshot of the coordinators' store on its way to an operator: part by part from one member. */
import { OperationalError, coordinatorSeat } from '@ringleader/contracts';
import type { Coordination } from '@ringleader/service-host';

type Members = Pick<Coordination, 'members' | 'askMember'>;

/** An answer that was lost is asked for again. */
const ATTEMPTS = 4;

export interface SnapshotStream {
  readonly revision: number;
  readonly bytes: AsyncGenerator<Uint8Array, void>;
}

/** From the leader, where no seat is named. Nothing has been sent to the client when it throws. */
export async function openSnapshotStream(
  coordination: Members,
  from: number | null,
  options: { readonly timeoutMs: number },
): Promise<SnapshotStream> {
  const seat = from ?? coordinatorSeat((await coordination.members(options)).leader);
  if (seat === null) throw new OperationalError('UNAVAILABLE', 'The coordinators have no leader');
  const { snapshot, revision } = await coordination.askMember(seat, 'openSnapshot', {}, options);
  return { revision, bytes: partsOf(coordination, seat, snapshot) };
}

async function* partsOf(
  coordination: Members,
  seat: number,
  snapshot: string,
): AsyncGenerator<Uint8Array, void> {
  for (let part = 0; ; part += 1) {
    const { dataBase64, isLast } = await readPart(coordination, seat, { snapshot, part });
    yield Buffer.from(dataBase64, 'base64');
    if (isLast) return;
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

/**
 * Members that have applied the same log have the same keys at each revision, and so the same hash. Who has another one has
 * lost or invented something, by a fault of ours or of its machine. Whom to believe, the majority of the voters says.
 */
import { coordinatorName } from '@ringleader/contracts';
import type { ResponseOf, StoreHashes, coordinatorContracts } from '@ringleader/contracts';
import { allMembers, type Configuration, type MemberId, type Seat } from '@ringleader/raft';

/** What the process at a seat says of its store; null where none answered. */
export type HashAnswer = ResponseOf<typeof coordinatorContracts.hash> | null;

export interface Judgement extends StoreHashes {
  /** What more than half of the voters have: a hash, or that they never reached the revision; null where there is none. */
  readonly expected: string | null;
  /** The newest revision that all who answered have come to. */
  readonly common: number;
  /** Those that have another one; all, where nobody has a majority. */
  readonly differing: readonly { readonly id: MemberId; readonly seat: Seat; readonly hash: string | null }[];
}

/** Of a member that has applied all that others have, and yet has not come to their revision. */
export const NEVER_REACHED = 'never reached';

export function judge(
  revision: number,
  configuration: Configuration,
  answers: ReadonlyMap<Seat, HashAnswer>,
): Judgement {
  const heard = allMembers(configuration).map(({ id, seat }) => {
    const answer = answers.get(seat) ?? null;
    // A predecessor, or a successor, at the same seat speaks for itself alone.
    const own = answer?.id === String(id) ? answer : null;
    return { id, seat, own, said: own === null ? null : saidBy(own, revision) };
  });
  const said = new Set(heard.flatMap(({ said }) => said ?? []));
  const expected = [...said].find((one) => {
    const voters = configuration.voters.filter(
      ({ id }) => heard.find((member) => member.id === id)?.said === one,
    );
    return voters.length * 2 > configuration.voters.length;
  });
  const differs = (one: string | null): boolean => one !== null && said.size > 1 && one !== expected;
  return {
    revision,
    consistent: said.size <= 1,
    members: heard.map(({ id, seat, own, said }) => ({
      name: coordinatorName(seat),
      id: String(id),
      hash: own?.hash ?? null,
      state: own === null ? 'silent' : said === null ? 'compacted' : differs(said) ? 'differs' : 'agrees',
    })),
    expected: expected ?? null,
    common: Math.min(revision, ...heard.flatMap(({ own }) => own?.revision ?? [])),
    differing: heard.flatMap(({ id, seat, own, said }) =>
      differs(said) ? [{ id, seat, hash: own?.hash ?? null }] : [],
    ),
  };
}

/** Null for what has been forgotten. */
function saidBy({ hash, revision }: NonNullable<HashAnswer>, asked: number): string | null {
  return hash ?? (revision < asked ? NEVER_REACHED : null);
}

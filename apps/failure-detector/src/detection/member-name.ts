import { MEMBERS_PREFIX, SERVICES, SHARDS_PREFIX, type Service } from '@ringleader/contracts';

/** What the detector calls a member: `shard/shard-1`. */
export type MemberName = string;

export interface MemberIdentity {
  readonly service: Service;
  readonly id: string;
}

export const memberName = ({ service, id }: MemberIdentity): MemberName => `${service}/${id}`;

/** Null for a service that this version does not know. */
export function parseMemberName(name: MemberName): MemberIdentity | null {
  const slash = name.indexOf('/');
  const service = SERVICES.find((known) => known === name.slice(0, slash));
  return service === undefined ? null : { service, id: name.slice(slash + 1) };
}

/** From a key of the service registry, which ends in just that name. */
export const nameOfMemberKey = (key: string): MemberName => key.slice(MEMBERS_PREFIX.length);

/** From a key of the shards, whose registration is for ever: a dead one is missed even after its lease ran out. */
export const nameOfShardKey = (key: string): MemberName =>
  memberName({ service: 'shard', id: key.slice(SHARDS_PREFIX.length) });

/**
 * What each service may say and hear over NATS: read off the declarations of the subjects, so that a new subject is
 * allowed to whom it names, and to nobody else.
 */
import type { Service } from '../metadata/cluster-metadata.js';
import { inboxPrefix, subjects } from '../subjects.js';
import type { Subject } from '../subjects.js';

export interface ServicePermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

type AnySubject = Subject<Service, readonly (string | number)[]>;

export function permissionsOf(cluster: string, service: Service): ServicePermissions {
  const all = Object.values(subjects) as unknown as readonly AnySubject[];
  const said = all.filter(({ declaration }) => declaration.speakers.includes(service));
  const heard = all.filter(({ declaration }) => declaration.listeners.includes(service));
  const isAsked = heard.some(({ declaration }) => declaration.isAnswered === true);
  return {
    publish: [
      ...said.map((subject) => subject.allFrom(cluster, service)),
      // Not NATS' own allow_responses: the server that a member moves to does not know what it was asked at the last one.
      ...(isAsked ? [inboxes(cluster, '*')] : []),
    ],
    subscribe: [...heard.flatMap((subject) => subject.allTo(cluster)), inboxes(cluster, service)],
  };
}

const inboxes = (cluster: string, service: Service | '*'): string =>
  `${inboxPrefix(cluster, { service, member: '*' })}.>`;

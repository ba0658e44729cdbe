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
  /** May answer requests, once each, in the inbox that the request names. */
  readonly mayAnswer: boolean;
}

type AnySubject = Subject<Service, readonly (string | number)[]>;

export function permissionsOf(cluster: string, service: Service): ServicePermissions {
  const all = Object.values(subjects) as unknown as readonly AnySubject[];
  const said = all.filter(({ declaration }) => declaration.speakers.includes(service));
  const heard = all.filter(({ declaration }) => declaration.listeners.includes(service));
  return {
    publish: said.map((subject) => subject.allFrom(cluster, service)),
    subscribe: [
      ...heard.flatMap((subject) => subject.allTo(cluster)),
      `${inboxPrefix(cluster, { service, member: '*' })}.>`,
    ],
    mayAnswer: heard.some(({ declaration }) => declaration.isAnswered === true),
  };
}

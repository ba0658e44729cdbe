/**
 * Events, for `kubectl describe`. What is said again of the same object within half an hour is counted at the first one, and
 * written down now and then: an event each time would be a write for every look at a fault that stays.
 */
import type { Logger } from '@ringleader/observability';
import { microTime } from './election.js';
import { EVENTS } from './kinds.js';
import type { KubeApi, KubeObject, Place } from './kube-api.js';
import { isGone } from './kube-error.js';

export interface Happening {
  readonly type: 'Normal' | 'Warning';
  /** What was done, in UpperCamelCase. */
  readonly action: string;
  /** Why, in UpperCamelCase: for machines. */
  readonly reason: string;
  readonly note: string;
}

interface Told {
  /** Null while it is being written. */
  place: Place | null;
  readonly firstAtMs: number;
  count: number;
  writtenAtMs: number;
}

export interface EventRecorderOptions {
  readonly api: Pick<KubeApi, 'create' | 'merge'>;
  readonly instance: string;
  readonly logger: Logger;
  readonly nowMs?: () => number;
}

const CONTROLLER = 'ringleader.io/operator';
const SAME_WITHIN_MS = 1_800_000;
const COUNT_EVERY_MS = 300_000;
const NOTE_LENGTH_MAX = 1_000;

export class EventRecorder {
  readonly #told = new Map<string, Told>();
  #number = 0;

  constructor(private readonly options: EventRecorderOptions) {}

  /** Never throws: nothing depends on an event. */
  async tell(regarding: KubeObject, happening: Happening): Promise<void> {
    try {
      await this.#tell(regarding, happening);
    } catch (error) {
      this.options.logger.warn({ error, reason: happening.reason }, 'An event was not written');
    }
  }

  async #tell(regarding: KubeObject, happening: Happening): Promise<void> {
    const nowMs = this.options.nowMs?.() ?? Date.now();
    for (const [key, { firstAtMs }] of this.#told)
      if (nowMs - firstAtMs > SAME_WITHIN_MS) this.#told.delete(key);
    const key = [regarding.metadata.uid, happening.type, happening.reason, happening.note].join('\n');
    const told = this.#told.get(key);
    if (told === undefined) {
      const fresh: Told = { place: null, firstAtMs: nowMs, count: 1, writtenAtMs: nowMs };
      this.#told.set(key, fresh);
      try {
        fresh.place = await this.#write(regarding, happening, nowMs);
      } catch (error) {
        // It was not told: the next time it happens it is.
        this.#told.delete(key);
        throw error;
      }
      return;
    }
    told.count += 1;
    if (told.place === null || nowMs - told.writtenAtMs < COUNT_EVERY_MS) return;
    told.writtenAtMs = nowMs;
    await this.#count(told.place, told.count, nowMs);
  }

  async #write(regarding: KubeObject, happening: Happening, nowMs: number): Promise<Place> {
    const { api, instance } = this.options;
    const { name, namespace = 'default', uid, resourceVersion } = regarding.metadata;
    this.#number += 1;
    const event = {
      apiVersion: EVENTS.apiVersion,
      kind: EVENTS.kind,
      metadata: { namespace, name: `${name}.${nowMs.toString(16)}${this.#number.toString(16)}` },
      eventTime: microTime(nowMs),
      reportingController: CONTROLLER,
      reportingInstance: instance,
      regarding: {
        apiVersion: regarding.apiVersion,
        kind: regarding.kind,
        ...{ name, namespace, uid, resourceVersion },
      },
      ...happening,
      note: happening.note.slice(0, NOTE_LENGTH_MAX),
    };
    await api.create(EVENTS, namespace, event);
    return { kind: EVENTS, namespace, name: event.metadata.name };
  }

  async #count(place: Place, count: number, nowMs: number): Promise<void> {
    try {
      await this.options.api.merge(place, { series: { count, lastObservedTime: microTime(nowMs) } });
    } catch (error) {
      // The API server keeps events for an hour.
      if (!isGone(error)) throw error;
    }
  }
}

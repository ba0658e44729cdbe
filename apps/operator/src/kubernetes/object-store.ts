/** Objects of one kind as they were heard of last, and which cluster each belongs to. */
import type { KubeObject } from './kube-api.js';

export interface ObjectKey {
  readonly namespace: string;
  readonly name: string;
}
export const keyText = ({ namespace, name }: ObjectKey): string => `${namespace}/${name}`;

/** Newer objects have higher versions: Kubernetes promises that they can be compared as numbers. */
const versionOf = ({ metadata }: KubeObject): bigint => BigInt(metadata.resourceVersion);

export class ObjectStore {
  readonly #objects = new Map<string, KubeObject>();
  /** Versions at which what is gone went, since the last list: what was said before that does not bring it back. */
  readonly #gone = new Map<string, bigint>();
  #listedAt = -1n;
  readonly #groups = new Map<string, Set<string>>();

  /** `groupOf`: what is asked for together; null for what belongs nowhere. */
  constructor(private readonly groupOf: (object: KubeObject) => string | null) {}

  get size(): number {
    return this.#objects.size;
  }

  get(key: ObjectKey): KubeObject | undefined {
    return this.#objects.get(keyText(key));
  }

  all(): readonly KubeObject[] {
    return [...this.#objects.values()];
  }

  inGroup(group: string): readonly KubeObject[] {
    return [...(this.#groups.get(group) ?? [])].flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** False when what is known is as new. An answer to a write and the events after it come in any order. */
  put(object: KubeObject): boolean {
    return this.#isNews(object, this.#listedAt) && this.#take(object);
  }

  #take(object: KubeObject): boolean {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    if (known !== undefined) this.#leave(key, known);
    this.#objects.set(key, object);
    const group = this.groupOf(object);
    if (group !== null) this.#groups.set(group, (this.#groups.get(group) ?? new Set()).add(key));
    return true;
  }

  /** False when it was gone, or another one has its name. */
  delete(object: KubeObject): boolean {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    this.#gone.set(key, versionOf(object));
    if (known?.metadata.uid !== object.metadata.uid) return false;
    this.#leave(key, known);
    return this.#objects.delete(key);
  }

  /** Takes a whole list; answers what changed by it. */
  replaceAll(objects: readonly KubeObject[], version: string): readonly KubeObject[] {
    const listed = new Set(objects.map(keyOf));
    // What was written after the list was made is not in it.
    const gone = this.all().filter((one) => !listed.has(keyOf(one)) && versionOf(one) <= BigInt(version));
    for (const object of gone) this.delete(object);
    const changed = objects.filter((object) => this.#isNews(object, -1n) && this.#take(object));
    this.#listedAt = BigInt(version);
    for (const [key, at] of this.#gone) if (at <= this.#listedAt) this.#gone.delete(key);
    return [...gone, ...changed];
  }

  /** `listedAt`: what is not known and no younger was in no list. */
  #isNews(object: KubeObject, listedAt: bigint): boolean {
    const key = keyOf(object);
    const known = this.#objects.get(key);
    const asNew = known === undefined ? (this.#gone.get(key) ?? listedAt) : versionOf(known);
    return asNew < versionOf(object);
  }

  #leave(key: string, object: KubeObject): void {
    const group = this.groupOf(object);
    if (group === null) return;
    const members = this.#groups.get(group);
    members?.delete(key);
    if (members?.size === 0) this.#groups.delete(group);
  }
}

function keyOf({ metadata: { namespace = '', name } }: KubeObject): string {
  return keyText({ namespace, name });
}

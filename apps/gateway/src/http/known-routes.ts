/** Which paths there are, and with which methods: to tell an unknown path from a wrong method. */
import { KEYS_PATH } from '../kv/request-target.js';

const KEY_ROUTE = `${KEYS_PATH}:key`;

export class KnownRoutes {
  private readonly methods = new Map<string, Set<string>>();

  /** As the web framework names it: an escaped colon is written twice. */
  add(url: string, method: string | readonly string[]): void {
    const path = url.replaceAll('::', ':');
    const known = this.methods.get(path) ?? new Set();
    for (const name of typeof method === 'string' ? [method] : method) known.add(name);
    this.methods.set(path, known);
  }

  /** Sorted; null for a path that there is not. */
  methodsOf(path: string): readonly string[] | null {
    const methods = this.methods.get(path.startsWith(KEYS_PATH) ? KEY_ROUTE : path);
    return methods === undefined ? null : [...methods].sort();
  }
}

import { readFileSync } from 'node:fs';

/** How many descriptors (connections, files) this process may have open at once; null where the system does not tell. */
export function descriptorsMax(): number | null {
  let limits: string;
  try {
    limits = readFileSync('/proc/self/limits', 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const max = Number(/^Max open files +(\d+)/m.exec(limits)?.[1]);
  return Number.isNaN(max) ? null : max;
}

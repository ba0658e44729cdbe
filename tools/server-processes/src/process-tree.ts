import { processStats } from './process-table.js';

/** The process and all that descend from it, parents first; Linux only. */
export function processTree(root: number): number[] {
  const stats = processStats();
  const tree = [root];
  // Grows while it is walked.
  for (const pid of tree) for (const [child, { parent }] of stats) if (parent === pid) tree.push(child);
  return tree;
}

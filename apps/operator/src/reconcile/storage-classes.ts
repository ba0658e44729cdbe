/** Which storage classes let no volume grow, of those that matter now: they are looked at only while a volume is to grow. */
import { STORAGE_CLASSES } from '../kubernetes/kinds.js';
import type { KubeApi } from '../kubernetes/kube-api.js';
import { isRefusal } from '../kubernetes/kube-error.js';
import { growingClaims } from '../planning/claims.js';
import type { Observed } from '../planning/types.js';

export async function fixedClasses(
  seen: Pick<Observed, 'cluster' | 'claims'>,
  api: Pick<KubeApi, 'find'>,
): Promise<readonly string[]> {
  const classes = new Set(growingClaims(seen).map(({ claim }) => claim.storageClass));
  const fixed: string[] = [];
  for (const name of classes) if (await isFixed(name, api)) fixed.push(name);
  return fixed;
}

/** A class that is gone lets nothing grow either. Who may not look finds out by trying. */
async function isFixed(name: string, api: Pick<KubeApi, 'find'>): Promise<boolean> {
  if (name === '') return true;
  try {
    const live = await api.find({ kind: STORAGE_CLASSES, namespace: '', name });
    return live?.['allowVolumeExpansion'] !== true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

/** What storage classes allow, of those that matter now: they are looked at only while a volume is to grow, or is not there yet. */
import { STORAGE_CLASSES } from '../kubernetes/kinds.js';
import type { KubeApi } from '../kubernetes/kube-api.js';
import { isRefusal } from '../kubernetes/kube-error.js';
import { claimsInNeed } from '../planning/growing.js';
import type { Observed } from '../planning/types.js';

export async function classesSeen(
  seen: Pick<Observed, 'cluster' | 'claims'>,
  api: Pick<KubeApi, 'find'>,
): Promise<Pick<Observed, 'fixedClasses' | 'missingClasses'>> {
  const names = new Set(claimsInNeed(seen).map(({ storageClass }) => storageClass));
  names.delete('');
  const fixedClasses: string[] = [];
  const missingClasses: string[] = [];
  for (const name of names) {
    const found = await look(name, api);
    if (found === 'missing') missingClasses.push(name);
    if (found === 'fixed') fixedClasses.push(name);
  }
  return { fixedClasses, missingClasses };
}

/** Who may not look finds out by trying. */
async function look(name: string, api: Pick<KubeApi, 'find'>): Promise<'growing' | 'fixed' | 'missing'> {
  try {
    const live = await api.find({ kind: STORAGE_CLASSES, namespace: '', name });
    if (live === null) return 'missing';
    return live['allowVolumeExpansion'] === true ? 'growing' : 'fixed';
  } catch (error) {
    if (isRefusal(error)) return 'growing';
    throw error;
  }
}

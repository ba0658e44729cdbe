/** Which writes are refused to whom (libs/contracts/src/metadata/metadata-writers.ts has the rules). */
import { METADATA_PREFIX, OperationalError, mayWrite } from '@ringleader/contracts';
import type { Speaker, StoreOperation, WrittenRange } from '@ringleader/contracts';

/** Of both branches, on all levels. */
export function refuseForeignWrites(
  speaker: Speaker,
  { success, failure }: Readonly<Record<'success' | 'failure', readonly StoreOperation[]>>,
): void {
  for (const operation of [...success, ...failure]) {
    if (operation.kind === 'put') refuseForeignWrite(speaker, { key: operation.key });
    else if (operation.kind === 'delete') refuseForeignWrite(speaker, operation);
    else if (operation.kind === 'txn') refuseForeignWrites(speaker, operation);
  }
}

export function refuseForeignWrite(speaker: Speaker, range: WrittenRange): void {
  if (mayWrite(speaker, range)) return;
  const { service, member } = speaker;
  throw new OperationalError(
    'FORBIDDEN',
    `${service} ${member} may not write ${range.key}: below ${METADATA_PREFIX} each member writes only what is its own`,
    { service, member, key: range.key },
  );
}

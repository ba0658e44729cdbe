/** A replica that a repair cannot bring up to date is copied to (docs/PROTOCOL.md 4.3.4, 4.3.5). */
import { instant, listOf, optional, string, varint } from '@ringleader/primitives';
import { header, type MessageTable } from './message-codec.js';
import { markCodec } from '@ringleader/paxos';
import { positionCodec, rowsCodec } from './rows.js';

type CopyKind = 'copyRequired' | 'pageRequest' | 'page' | 'finishRequest' | 'finish' | 'remembered';

const keys = listOf(string);
const copy = { ...header, copyId: varint };

export const copyMessages: MessageTable<CopyKind> = {
  copyRequired: { code: 64, fields: { ...header, commit: varint, purgedTo: varint } },
  pageRequest: { code: 65, fields: { ...copy, pass: varint, base: varint, start: string, keys } },
  page: {
    code: 66,
    fields: {
      ...copy,
      pass: varint,
      start: string,
      nextKey: optional(string),
      rows: rowsCodec,
      absent: keys,
      commit: varint,
      purgedTo: varint,
      dedupeFloor: instant,
    },
  },
  remembered: { code: 69, fields: { ...header, revision: varint, floor: instant, marks: listOf(markCodec) } },
  finishRequest: { code: 67, fields: { ...copy, base: varint, keys } },
  finish: {
    code: 68,
    fields: {
      ...copy,
      base: varint,
      to: positionCodec,
      rows: rowsCodec,
      absent: keys,
      purgedTo: varint,
      dedupeFloor: instant,
      commit: varint,
    },
  },
};

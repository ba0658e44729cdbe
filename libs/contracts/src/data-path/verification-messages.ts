/** Replicas held against each other (docs/PROTOCOL.md 4.13). */
import { boolean, fields, listOf, optional, string, varint } from '@ringleader/primitives';
import type { RowDigest } from '@ringleader/paxos';
import { header, type MessageTable } from './message-codec.js';
import { rowsCodec } from './rows.js';

type VerificationKind = 'verify' | 'verified' | 'rowWanted' | 'rowTold' | 'mend' | 'mended';

const asked = { ...header, round: varint };
const rowDigest = fields<RowDigest>({ key: string, revision: varint, live: boolean, digest: string });

export const verificationMessages: MessageTable<VerificationKind> = {
  verify: {
    code: 96,
    fields: {
      ...asked,
      start: string,
      end: optional(string),
      upTo: varint,
      purgedTo: varint,
      wantsRows: boolean,
    },
  },
  verified: {
    code: 97,
    fields: {
      ...asked,
      revision: varint,
      purgedTo: varint,
      end: optional(string),
      digest: string,
      rows: listOf(rowDigest),
    },
  },
  rowWanted: { code: 98, fields: { ...asked, key: string } },
  rowTold: { code: 99, fields: { ...asked, digest: optional(string), rows: rowsCodec } },
  mend: { code: 100, fields: { ...asked, key: string, found: optional(string), rows: rowsCodec } },
  mended: { code: 101, fields: { ...asked, done: boolean } },
};

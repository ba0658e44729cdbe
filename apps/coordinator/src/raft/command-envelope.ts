/** How a command lies in an entry of the log: with the name of its proposal, by which the proposer knows it again. */
import { randomBytes } from 'node:crypto';

const sessionBytes = 8;
const headerBytes = 16;

/** Names one run of one process, so that proposal numbers need only be unique within it. */
export type ProposerSession = Buffer;

export function newProposerSession(): ProposerSession {
  return randomBytes(sessionBytes);
}

export function sealCommand(session: ProposerSession, id: number, command: Uint8Array): Uint8Array {
  const data = Buffer.allocUnsafe(headerBytes + command.byteLength);
  data.set(session, 0);
  data.writeBigUInt64LE(BigInt(id), sessionBytes);
  data.set(command, headerBytes);
  return data;
}

export interface OpenedCommand {
  /** Null if another process, or another run of this one, proposed it. */
  readonly ownId: number | null;
  readonly command: Uint8Array;
}

export function openCommand(session: ProposerSession, data: Uint8Array): OpenedCommand {
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const isOwn = view.subarray(0, sessionBytes).equals(session);
  const ownId = isOwn ? Number(view.readBigUInt64LE(sessionBytes)) : null;
  return { ownId, command: data.subarray(headerBytes) };
}

/**
 * Whose log this is. Beside the log, in a file of its own that is replaced as a whole: one line of JSON, then its checksum. It is
 * written after the first segment, so that an identity without a segment shows that the log was lost.
 */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { join } from 'node:path';
import type { Disk } from './disk.js';
import { nobody } from './segment.js';
import { corruptLog, errorCode } from './storage-errors.js';
import type { LogIdentity, LogSeat } from './types.js';

/** Ids are above: no seat was ever as high. */
const SEATS_END = 0xffff;

/** Of a member that is new: 53 bits, as many as a number holds; never one of the small ones that were seats. */
export function drawMemberId(): number {
  const id = Number(randomBytes(8).readBigUInt64LE() >> 11n);
  return id > SEATS_END ? id : drawMemberId();
}

const fileName = 'identity';
const formatVersion = 1;

export async function writeIdentity(disk: Disk, directory: string, identity: LogIdentity): Promise<void> {
  const path = join(directory, fileName);
  const line = JSON.stringify({ version: formatVersion, ...identity });
  const file = await disk.create(`${path}.partial`);
  try {
    await file.write(Buffer.from(`${line}\n${checksumOf(line)}\n`), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(`${path}.partial`, path);
}

/**
 * As segments have it: who copies one from another member has its votes and its log, and not the own. A member that has agreed with
 * nobody on founders has promised nothing, and may become another.
 */
export function ownerOf(identity: LogIdentity | null): number {
  if (identity === null || identity.founders === null) return nobody;
  const { cluster, seat, id } = identity;
  return crc32(JSON.stringify([cluster, seat, id])) || 1;
}

/** Null where none was written: a new log, or one of before there were identities. */
export async function readIdentity(disk: Disk, directory: string): Promise<LogIdentity | null> {
  const path = join(directory, fileName);
  let text: string;
  try {
    text = (await disk.read(path)).toString();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const corrupt = (reason: string): Error => corruptLog({ file: path, offset: 0, reason });
  const [line = '', checksum] = text.split('\n');
  if (checksum !== checksumOf(line)) throw corrupt('the checksum of the identity does not match');
  const parsed: unknown = JSON.parse(line);
  if (!isIdentity(parsed)) throw corrupt('the identity is of another version');
  const { cluster, seat, id, founders, isBegun } = parsed;
  return { cluster, seat, id, founders, isBegun };
}

function checksumOf(line: string): string {
  return crc32(line).toString(16).padStart(8, '0');
}

function isIdentity(value: unknown): value is LogIdentity {
  if (!isObject(value)) return false;
  const { version, cluster, seat, id, founders, isBegun } = value;
  const areFounders = founders === null || (Array.isArray(founders) && founders.every(isSeat));
  const isOwner = typeof cluster === 'string' && isSeat({ seat, id });
  return version === formatVersion && isOwner && areFounders && typeof isBegun === 'boolean';
}

function isSeat(value: unknown): value is LogSeat {
  return isObject(value) && Number.isSafeInteger(value['seat']) && Number.isSafeInteger(value['id']);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

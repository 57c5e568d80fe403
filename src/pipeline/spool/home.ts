import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { RedisLogError } from '../../errors.js';
import { FORMAT_VERSION } from './frame.js';
import { NOBODY, type ProcessIdentity } from './processes.js';
import { errorCode, type FileFacts, type SpoolFiles } from './spool-files.js';
import type { SpoolContext } from './types.js';

/** The directory of one process. */
export interface Home {
  readonly path: string;
  readonly name: string;
  /** The random part of the name, 8 bytes in hex. */
  readonly salt: string;
}

export const OWNER_FILE = 'owner.json';
export const NEXT_OWNER_FILE = 'owner.json.new';

/** A name that begins so is not ready yet: its owner may not have been written. */
const NEW = 'new-';
const HOME_NAME = /^(?:new-)?\d+-([0-9a-f]{16})$/;

/** `undefined` when it is the name of something else. */
export function homeAt(parent: string, name: string): Home | undefined {
  const salt = HOME_NAME.exec(name)?.[1];
  return salt === undefined ? undefined : { path: `${parent}/${name}`, name, salt };
}

export function ownerText({ pid, started, boot, namespace }: ProcessIdentity, target: string): string {
  return `${JSON.stringify({ version: FORMAT_VERSION, pid, started, boot, namespace, target })}\n`;
}

/** Makes sure that the shared directory is there and is one we can use. */
export async function prepareRoot({ files, root }: SpoolContext): Promise<void> {
  try {
    const facts = await files.facts(root);
    if (facts === undefined) await makeDirectories(files, root);
    const kind = facts?.kind ?? 'directory';
    const problem = unusableRoot(root, kind, kind === 'directory' && (await files.isShared(root)));
    if (problem !== undefined) throw problem;
  } catch (error) {
    throw asUnusable(root, error);
  }
}

/** Why the shared directory will not do; `undefined` when it will. */
export function unusableRoot(
  root: string,
  kind: FileFacts['kind'],
  isShared: boolean,
): RedisLogError | undefined {
  if (kind === 'symlink') return unusable(root, 'it is a symbolic link. Name the directory it points to');
  if (kind !== 'directory') return unusable(root, 'it is not a directory');
  const shared = 'it is on a network file system, where nobody can tell which process is dead';
  return isShared ? unusable(root, shared) : undefined;
}

/** With those above it; and each in the one above it, on disk too. */
async function makeDirectories(files: SpoolFiles, path: string): Promise<void> {
  const parent = dirname(path);
  if ((await files.facts(parent)) === undefined) await makeDirectories(files, parent);
  try {
    await files.makeDirectory(path);
  } catch (error) {
    // Another process does the same at the same time.
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  await files.syncDirectory(parent);
}

/**
 * Makes a directory for this process. It gets its name only when its owner is in it and on disk, so that no one
 * ever sees it without.
 */
export async function makeHome(context: SpoolContext, self: ProcessIdentity): Promise<Home> {
  const { files, root } = context;
  const home = homeOf(root, self, randomBytes(8).toString('hex'));
  const early = earlyPath(root, home);
  try {
    await files.makeDirectory(early);
    await writeOwner(context, `${early}/${OWNER_FILE}`, self);
    await files.syncDirectory(early);
    await files.rename(early, home.path);
    await files.syncDirectory(root);
  } catch (error) {
    throw asUnusable(root, error);
  }
  return home;
}

export function homeOf(root: string, self: ProcessIdentity, salt: string): Home {
  const name = `${self.pid}-${salt}`;
  return { path: `${root}/${name}`, name, salt };
}

/** Where a home is until its owner is in it. */
export function earlyPath(root: string, home: Home): string {
  return `${root}/${NEW}${home.name}`;
}

async function writeOwner(
  { files, target }: SpoolContext,
  path: string,
  owner: ProcessIdentity,
): Promise<void> {
  const file = await files.create(path);
  try {
    const text = Buffer.from(ownerText(owner, target));
    // Half of it would make nobody the owner.
    if ((await file.write([text], 0)) < text.length)
      throw Object.assign(new Error('cut'), { code: 'ENOSPC' });
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Says that nobody uses this directory any more, so that it can be adopted while this process lives on. */
export async function abandonHome(context: SpoolContext, home: Home): Promise<void> {
  await writeOwner(context, `${home.path}/${NEXT_OWNER_FILE}`, NOBODY);
  await context.files.rename(`${home.path}/${NEXT_OWNER_FILE}`, `${home.path}/${OWNER_FILE}`);
  await context.files.syncDirectory(home.path);
}

/** What a disk may be in now, and not in a minute. */
const PASSING: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EMFILE',
  'ENFILE',
  'EBUSY',
  'EAGAIN',
]);

export function asUnusable(root: string, error: unknown): RedisLogError {
  if (error instanceof RedisLogError) return error;
  const code = errorCode(error);
  if (!PASSING.has(code)) return unusable(root, `the system says ${code}`);
  const text = `spool.directory ${JSON.stringify(root)} cannot be used just now: the system says ${code}.`;
  return new RedisLogError('REDIS_LOG_UNAVAILABLE', text, { subject: 'spool.directory' });
}

function unusable(root: string, why: string): RedisLogError {
  const advice = 'Name a directory on a local disk that this process may write to, or leave the spool off';
  const text = `spool.directory ${JSON.stringify(root)} cannot be used: ${why}. ${advice}.`;
  return new RedisLogError('REDIS_LOG_INVALID_OPTIONS', text, { subject: 'spool.directory' });
}

import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { asUnusable, earlyPath, type Home, homeOf, OWNER_FILE, ownerText, unusableRoot } from './home.js';
import type { ProcessIdentity } from './processes.js';
import type { SpoolContext } from './types.js';
import { isSharedSync, kindOfSync, systemFiles } from './spool-files.js';

/**
 * What `prepareRoot` and `makeHome` do, without awaiting anything: for a process that ends before its spool was open.
 * Throws a RedisLogError when the directory cannot be used.
 */
export function makeHomeNow({ root, target }: SpoolContext, self: ProcessIdentity): Home {
  try {
    fs.mkdirSync(root, { recursive: true, mode: 0o700 });
    const problem = unusableRoot(root, kindOfSync(root), isSharedSync(root));
    if (problem !== undefined) throw problem;
    const home = homeOf(root, self, randomBytes(8).toString('hex'));
    const early = earlyPath(root, home);
    fs.mkdirSync(early, 0o700);
    writeOwnerNow(`${early}/${OWNER_FILE}`, ownerText(self, target));
    systemFiles.syncDirectorySync(early);
    fs.renameSync(early, home.path);
    systemFiles.syncDirectorySync(root);
    return home;
  } catch (error) {
    throw asUnusable(root, error);
  }
}

function writeOwnerNow(path: string, text: string): void {
  const file = systemFiles.createSync(path);
  file.writeSync([Buffer.from(text)], 0);
  file.syncSync();
}

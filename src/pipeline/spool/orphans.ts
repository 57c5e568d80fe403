import { FORMAT_VERSION, SEGMENT_HEADER_BYTES, segmentVersion } from './frame.js';
import { type Home, homeAt, OWNER_FILE } from './home.js';
import type { ProcessIdentity, Processes } from './processes.js';
import { errorCode, readStart } from './spool-files.js';
import { segmentNumber } from './store.js';
import type { SpoolContext } from './types.js';

/** A live owner touches its file so often, for those who cannot ask the kernel about it. */
export const TOUCH_EVERY_MS = 10_000;
const STALE_MS = 60_000;

interface Owner extends ProcessIdentity {
  readonly version: number;
  /** Where its records were to go; empty where that is not known. */
  readonly target: string;
}

/** A directory beside ours. */
interface Neighbour {
  readonly home: Home;
  readonly isOrphan: boolean;
  readonly target: string;
}

/** Finds the directories of dead processes, and makes them ours. */
export class Orphans {
  readonly #context: SpoolContext;
  readonly #home: Home;
  readonly #processes: Processes;

  constructor(context: SpoolContext, home: Home, processes: Processes) {
    this.#context = context;
    this.#home = home;
    this.#processes = processes;
  }

  /**
   * Every directory in ours, after those that can be taken over have been moved there. The move is one rename, so
   * that of several processes one gets it. What was meant for another Redis is left to those who live and write there;
   * where there is none, it goes where ours goes, and that is told. Rejects when our own directory cannot be read.
   */
  async take(): Promise<readonly Home[]> {
    const { files, root } = this.#context;
    const own = this.#home;
    await files.touch(`${own.path}/${OWNER_FILE}`);
    const neighbours: Neighbour[] = [];
    for (const name of await files.list(root)) {
      const home = homeAt(root, name);
      if (home !== undefined && name !== own.name) neighbours.push(await this.#judge(home));
    }
    let taken = 0;
    for (const one of neighbours) {
      if (one.isOrphan && !this.#hasHeir(one, neighbours) && (await this.#move(one.home))) taken++;
    }
    if (taken > 0) {
      await files.syncDirectory(own.path);
      await files.syncDirectory(root);
    }
    return this.#flatten();
  }

  /** Whether somebody else is nearer to what a dead process left. */
  #hasHeir({ home, target }: Neighbour, neighbours: readonly Neighbour[]): boolean {
    const { problem, target: ours } = this.#context;
    if (target === '' || ours === '' || target === ours) return false;
    if (neighbours.some((other) => !other.isOrphan && other.target === target)) return true;
    const advice = 'Give each application a spool.directory of its own.';
    problem('target', `What ${home.name} left for ${target} is sent to ${ours} now. ${advice}`);
    return false;
  }

  async #judge(home: Home): Promise<Neighbour> {
    try {
      const isDirectory = (await this.#context.files.facts(home.path))?.kind === 'directory';
      const owner = isDirectory ? await this.#owner(home) : undefined;
      const isOrphan = isDirectory && (await this.#isOrphan(home, owner));
      return { home, isOrphan, target: owner?.target ?? '' };
    } catch (error) {
      const code = errorCode(error);
      const { problem } = this.#context;
      // Somebody else was quicker.
      if (code !== 'ENOENT') problem('adopt', `${home.name} in the spool cannot be looked at (${code}).`);
      return { home, isOrphan: false, target: '' };
    }
  }

  async #isOrphan(home: Home, owner: Owner | undefined): Promise<boolean> {
    const liveness = owner === undefined ? 'unknown' : this.#processes.liveness(owner);
    if (liveness === 'alive' || (liveness === 'unknown' && !(await this.#isStale(home)))) return false;
    const version = owner?.version ?? FORMAT_VERSION;
    const foreign = version === FORMAT_VERSION ? await this.#foreignVersion(home) : version;
    if (foreign === undefined) return true;
    const what = `${home.name} in the spool has format ${foreign}, not ${FORMAT_VERSION}`;
    const advice = 'It is left as it is; start that version once to have its records sent.';
    this.#context.problem('version', `${what}. ${advice}`);
    return false;
  }

  async #owner(home: Home): Promise<Owner | undefined> {
    const { files } = this.#context;
    const path = `${home.path}/${OWNER_FILE}`;
    if ((await files.facts(path))?.kind !== 'file') return undefined;
    const text = Buffer.alloc(1_024);
    const size = await readStart(files, path, text).catch(() => 0);
    return parseOwner(text.toString('utf8', 0, size));
  }

  /** Both times come from one file system's clock, and ours is of this moment. */
  async #isStale(home: Home): Promise<boolean> {
    const { files } = this.#context;
    const theirs = (await files.facts(`${home.path}/${OWNER_FILE}`)) ?? (await files.facts(home.path));
    const ours = await files.facts(`${this.#home.path}/${OWNER_FILE}`);
    return theirs !== undefined && ours !== undefined && ours.modifiedMs - theirs.modifiedMs > STALE_MS;
  }

  async #foreignVersion(home: Home): Promise<number | undefined> {
    const { files } = this.#context;
    const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
    for (const name of await files.list(home.path)) {
      const path = `${home.path}/${name}`;
      if (segmentNumber(name) === undefined || (await files.facts(path))?.kind !== 'file') continue;
      // What cannot be read now is dealt with when the segment is looked through.
      const size = await readStart(files, path, header).catch(() => 0);
      const version = segmentVersion(header.subarray(0, size));
      if (version !== undefined && version !== FORMAT_VERSION) return version;
    }
    return undefined;
  }

  async #move(home: Home): Promise<boolean> {
    const { files, problem } = this.#context;
    try {
      await files.rename(home.path, `${this.#home.path}/${home.name}`);
      return true;
    } catch (error) {
      const code = errorCode(error);
      if (code !== 'ENOENT') problem('adopt', `${home.name} in the spool cannot be taken over (${code}).`);
      return false;
    }
  }

  /** What a dead process had adopted itself is moved up, or each restart would nest one level deeper. */
  async #flatten(): Promise<readonly Home[]> {
    const { files } = this.#context;
    const own = this.#home.path;
    const homes = await this.#homesIn(own);
    for (const home of homes) {
      for (const inner of await this.#homesIn(home.path)) {
        const path = `${own}/${inner.name}`;
        await files.rename(inner.path, path);
        homes.push({ ...inner, path });
        await files.syncDirectory(own);
      }
    }
    return this.#byAge(homes);
  }

  /** Whoever died first comes first, so that records are replayed in the order in which they were logged. */
  async #byAge(homes: readonly Home[]): Promise<readonly Home[]> {
    const aged: { readonly home: Home; readonly seenMs: number }[] = [];
    for (const home of homes) {
      const facts = await this.#context.files.facts(`${home.path}/${OWNER_FILE}`);
      aged.push({ home, seenMs: facts?.modifiedMs ?? 0 });
    }
    return aged.sort((one, other) => one.seenMs - other.seenMs).map(({ home }) => home);
  }

  async #homesIn(path: string): Promise<Home[]> {
    const homes: Home[] = [];
    for (const name of await this.#context.files.list(path)) {
      const home = homeAt(path, name);
      if (home !== undefined) homes.push(home);
    }
    return homes;
  }
}

function parseOwner(text: string): Owner | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { version, pid, started, boot, namespace, target } = value as Record<string, unknown>;
  if (typeof version !== 'number') return undefined;
  if (typeof started !== 'string' || typeof boot !== 'string' || typeof namespace !== 'string')
    return undefined;
  if (typeof pid !== 'number') return undefined;
  return { version, pid, started, boot, namespace, target: typeof target === 'string' ? target : '' };
}

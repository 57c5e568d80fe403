import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRuntime } from '../../../src/pipeline/runtime.js';
import { systemProcesses } from '../../../src/pipeline/spool/processes.js';
import { systemFiles } from '../../../src/pipeline/spool/spool-files.js';
import { Spool, type SpoolOptions } from '../../../src/pipeline/spool/spool.js';
import { makeBatch } from './batches.js';

let base = '';
let open: Spool[] = [];

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'spool-test-'));
});

afterEach(async () => {
  for (const spool of open) await spool.close();
  open = [];
  await chmod(base, 0o700);
  await rm(base, { recursive: true, force: true });
});

async function openSpool(directory: string, options: Partial<SpoolOptions> = {}): Promise<Spool> {
  const problem = (code: string, text: string): void => {
    throw new Error(`${code}: ${text}`);
  };
  const spool = await Spool.open({
    directory,
    maxBytes: 10_000_000,
    runtime: systemRuntime,
    problem,
    ...options,
  });
  open.push(spool);
  return spool;
}

async function modes(path: string): Promise<readonly string[]> {
  const found = await readdir(path, { recursive: true, withFileTypes: true });
  const lines = found.map(async (entry) => {
    const { mode } = await stat(join(entry.parentPath, entry.name));
    return `${entry.isDirectory() ? 'directory' : 'file'} ${(mode & 0o777).toString(8)}`;
  });
  return [...new Set(await Promise.all(lines))].toSorted();
}

function refusal(text: RegExp): object {
  return {
    code: 'REDIS_LOG_INVALID_OPTIONS',
    subject: 'spool.directory',
    message: expect.stringMatching(text),
  };
}

describe('the directory of a spool', () => {
  it('is made where it is missing, for its owner alone, with all that is in it (S8)', async () => {
    const directory = join(base, 'a', 'b');
    const spool = await openSpool(directory);
    const entry = await spool.append(makeBatch(1));
    await spool.append(makeBatch(2));
    if (entry !== undefined) spool.release(entry);
    await spool.close();
    expect(await modes(join(base, 'a'))).toStrictEqual(['directory 700', 'file 600']);
    expect((await readdir(directory)).length).toBe(1);
  });

  it('may be there already, and is left as it is (S8)', async () => {
    await chmod(base, 0o755);
    const spool = await openSpool(base);
    expect((await stat(base)).mode & 0o777).toBe(0o755);
    expect(await spool.append(makeBatch(1))).toBeDefined();
  });

  it('is refused when it is a symbolic link, a file, or below a file (S8)', async () => {
    await mkdir(join(base, 'real'));
    await symlink(join(base, 'real'), join(base, 'link'));
    await writeFile(join(base, 'file'), '');
    await expect(openSpool(join(base, 'link'))).rejects.toMatchObject(refusal(/symbolic link/));
    await expect(openSpool(join(base, 'file'))).rejects.toMatchObject(refusal(/not a directory/));
    await expect(openSpool(join(base, 'file', 'below'))).rejects.toMatchObject(refusal(/ENOTDIR/));
  });

  it.each(['EROFS', 'EACCES'])('is refused when nothing can be made in it: %s (S8)', async (code) => {
    const makeDirectory = (): Promise<never> => Promise.reject(Object.assign(new Error('no'), { code }));
    const files = { ...systemFiles, makeDirectory };
    await expect(openSpool(base, { files })).rejects.toMatchObject(refusal(new RegExp(code)));
  });

  it("is not there just now when its disk is full, which is nobody's wrong option (S1)", async () => {
    const full = Object.assign(new Error('no'), { code: 'ENOSPC' });
    const files = { ...systemFiles, makeDirectory: () => Promise.reject(full) };
    const refused = { code: 'REDIS_LOG_UNAVAILABLE', subject: 'spool.directory' };
    await expect(openSpool(base, { files })).rejects.toMatchObject(refused);
  });

  it('is refused on a network file system, where no process can tell which others live (S8)', async () => {
    const files = { ...systemFiles, isShared: () => Promise.resolve(true) };
    await expect(openSpool(base, { files })).rejects.toMatchObject(refusal(/network/));
    expect(await systemFiles.isShared(base)).toBe(false);
  });

  it('may hold other things, which are not touched', async () => {
    await mkdir(join(base, 'photos'));
    await mkdir(join(base, '12-nothex'));
    await writeFile(join(base, '12-0123456789abcdef'), 'a file');
    await symlink(join(base, 'photos'), join(base, '13-0123456789abcdef'));
    const spool = await openSpool(base);
    expect(await spool.adopt()).toStrictEqual([]);
    await spool.close();
    expect((await readdir(base)).toSorted()).toStrictEqual([
      '12-0123456789abcdef',
      '12-nothex',
      '13-0123456789abcdef',
      'photos',
    ]);
    expect(await readFile(join(base, '12-0123456789abcdef'), 'utf8')).toBe('a file');
  });

  it('of a process in another container is taken only after a minute without a sign of life', async () => {
    const { self } = systemProcesses();
    const elsewhere = { self: { ...self, namespace: 'pid:[of another]' }, liveness: () => 'alive' as const };
    const there = await openSpool(base, { processes: elsewhere });
    await there.append(makeBatch(1));
    const here = await openSpool(base);
    expect(await here.adopt()).toStrictEqual([]);
    const theirs = (await readdir(base, { recursive: true })).filter((path) => path.endsWith('owner.json'));
    for (const path of theirs)
      await utimes(join(base, path), Date.now() / 1_000 - 61, Date.now() / 1_000 - 61);
    const [adopted] = await here.adopt();
    expect(adopted?.entries).toMatchObject([{ first: 1, stream: makeBatch(1).stream }]);
  });

  it('whose owner cannot be told is taken only after a minute without a sign of life', async () => {
    const spool = await openSpool(base);
    await spool.append(makeBatch(1));
    await spool.close();
    const [home = ''] = await readdir(base);
    const owner = join(base, home, 'owner.json');
    const next = await openSpool(base);
    for (const text of ['', '{', '[]', 'null', '{"version":1}', '{"version":1,"pid":"1"}']) {
      await writeFile(owner, text);
      expect(await next.adopt()).toStrictEqual([]);
    }
    await utimes(owner, Date.now() / 1_000 - 61, Date.now() / 1_000 - 61);
    expect((await next.adopt()).length).toBe(1);
  });

  it('keeps a batch on a real disk as well as on the one in memory', async () => {
    const spool = await openSpool(base, { segmentBytes: 100_000 });
    const entries = await Promise.all(
      Array.from({ length: 40 }, (_, index) => spool.append(makeBatch(index + 1, 20_000))),
    );
    spool.appendAllSync([makeBatch(41, 0), makeBatch(42, 1)]);
    for (const entry of entries.slice(0, 30)) if (entry !== undefined) spool.release(entry);
    await spool.close();
    const next = await openSpool(base);
    const [adopted] = await next.adopt();
    if (adopted === undefined) throw new Error('nothing adopted');
    const found = await Promise.all(adopted.entries.map((entry) => adopted.read(entry)));
    const expected = Array.from({ length: 10 }, (_, index) => makeBatch(index + 31, 20_000));
    expect(found).toStrictEqual([...expected, makeBatch(41, 0), makeBatch(42, 1)]);
    for (const entry of adopted.entries) adopted.release(entry);
    await next.close();
    expect(await readdir(base)).toStrictEqual([]);
  });
});

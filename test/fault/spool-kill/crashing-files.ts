import { type SpoolFile, type SpoolFiles, systemFiles } from '../../../src/pipeline/spool/spool-files.js';
import type { CrashPoint } from './protocol.js';

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** The file system, and a place in it where this process ends. */
export function crashingFiles(crash: CrashPoint | undefined): SpoolFiles {
  if (crash === undefined) return systemFiles;
  let left = crash.nth;
  const isTime = (operation: string): boolean => operation === crash.operation && --left === 0;

  async function around<T>(operation: string, run: () => Promise<T>): Promise<T> {
    if (!isTime(operation)) return run();
    if (crash?.when === 'before') die();
    const result = await run();
    die();
    return result;
  }

  function halfOf(buffers: readonly Buffer[]): Buffer[] {
    const all = Buffer.concat(buffers);
    return [all.subarray(0, Math.ceil(all.length / 2))];
  }

  function file(inner: SpoolFile): SpoolFile {
    return {
      write: async (buffers, position) => {
        if (crash?.when !== 'half-way') return around('write', () => inner.write(buffers, position));
        if (!isTime('write')) return inner.write(buffers, position);
        const written = await inner.write(halfOf(buffers), position);
        die();
        return written;
      },
      writeSync: (buffers, position) => {
        const isLast = isTime('writeSync');
        if (isLast && crash?.when === 'before') die();
        const written = inner.writeSync(
          isLast && crash?.when === 'half-way' ? halfOf(buffers) : buffers,
          position,
        );
        if (isLast) die();
        return written;
      },
      read: (into, position) => inner.read(into, position),
      sync: () => around('sync', () => inner.sync()),
      syncSync: () => inner.syncSync(),
      truncate: (size) => inner.truncate(size),
      close: () => inner.close(),
    };
  }

  return {
    ...systemFiles,
    create: (path) => around('create', async () => file(await systemFiles.create(path))),
    createSync: (path) => file(systemFiles.createSync(path)),
    openToWrite: (path) => around('openToWrite', async () => file(await systemFiles.openToWrite(path))),
    touch: (path) => around('touch', () => systemFiles.touch(path)),
    rename: (from, to) => around('rename', () => systemFiles.rename(from, to)),
    remove: (path) => around('remove', () => systemFiles.remove(path)),
    removeDirectory: (path) => around('removeDirectory', () => systemFiles.removeDirectory(path)),
    syncDirectory: (path) => around('syncDirectory', () => systemFiles.syncDirectory(path)),
  };
}

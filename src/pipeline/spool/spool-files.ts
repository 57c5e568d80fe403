import * as fs from 'node:fs';
import { promisify } from 'node:util';

/** An open file. Every method may reject, or throw, with a system error that has a `code`. */
export interface SpoolFile {
  /** Resolves with how many bytes were written, which may be fewer than given. */
  write(buffers: readonly Buffer[], position: number): Promise<number>;
  writeSync(buffers: readonly Buffer[], position: number): number;
  /** Resolves with how many bytes were read; 0 at the end of the file. */
  read(into: Buffer, position: number): Promise<number>;
  /** fdatasync. */
  sync(): Promise<void>;
  syncSync(): void;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  /** When it was last written to or touched, in Unix milliseconds. */
  readonly modifiedMs: number;
}

/** What a spool needs of a file system. Tests give one that forgets what was not synced. */
export interface SpoolFiles {
  /** Makes a file (0600) that was not there, to write and to read. */
  create(path: string): Promise<SpoolFile>;
  createSync(path: string): SpoolFile;
  /** Opens a file to read, never through a symbolic link. */
  open(path: string): Promise<SpoolFile>;
  /** Opens a file to write in place, made (0600) where it is missing. */
  openToWrite(path: string): Promise<SpoolFile>;
  /** Makes a directory (0700) that was not there. */
  makeDirectory(path: string): Promise<void>;
  list(path: string): Promise<readonly string[]>;
  /** `undefined` when there is nothing of that name. Does not follow symbolic links. */
  facts(path: string): Promise<FileFacts | undefined>;
  /** Marks a file as modified now. */
  touch(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Removes an empty directory. */
  removeDirectory(path: string): Promise<void>;
  /** Makes names made, renamed and removed in it last. */
  syncDirectory(path: string): Promise<void>;
  syncDirectorySync(path: string): void;
  /** Whether other machines may see this directory too. */
  isShared(path: string): Promise<boolean>;
}

const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;
/** Windows has no such flag. */
const NO_FOLLOW = fs.constants.O_NOFOLLOW ?? 0;
const CREATE = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL | NO_FOLLOW;

/** NFS, SMB, CIFS, SMB2: the magic numbers of statfs(2), and of Linux' fs/smb for the last. */
const SHARED_TYPES: ReadonlySet<number> = new Set([0x6969, 0x517b, 0xff534d42, 0xfe534d42]);

/** Windows, and some file systems, have no fsync of a directory; their names last without. */
const NO_DIRECTORY_SYNC: ReadonlySet<string> = new Set(['EISDIR', 'EPERM', 'EINVAL', 'ENOTSUP', 'EACCES']);

/** `ENOSPC` and the like. Never the message: it holds paths. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? 'unknown error';
}

const writev = promisify(fs.writev);
const read = promisify(fs.read);
const fdatasync = promisify(fs.fdatasync);
const fsync = promisify(fs.fsync);
const ftruncate = promisify(fs.ftruncate);
const close = promisify(fs.close);
const open = promisify(fs.open);

/** By its number, because the last writes of a process must be possible without awaiting anything. */
class NumberedFile implements SpoolFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async write(buffers: readonly Buffer[], position: number): Promise<number> {
    return (await writev(this.#fd, buffers, position)).bytesWritten;
  }

  writeSync(buffers: readonly Buffer[], position: number): number {
    return fs.writevSync(this.#fd, buffers, position);
  }

  async read(into: Buffer, position: number): Promise<number> {
    return (await read(this.#fd, into, 0, into.length, position)).bytesRead;
  }

  sync(): Promise<void> {
    return fdatasync(this.#fd);
  }

  syncSync(): void {
    fs.fdatasyncSync(this.#fd);
  }

  truncate(size: number): Promise<void> {
    return ftruncate(this.#fd, size);
  }

  close(): Promise<void> {
    return close(this.#fd);
  }
}

function isHarmless(error: unknown): boolean {
  return NO_DIRECTORY_SYNC.has(errorCode(error));
}

/** The file system of this machine. */
export const systemFiles: SpoolFiles = {
  create: async (path) => new NumberedFile(await open(path, CREATE, FILE_MODE)),
  createSync: (path) => new NumberedFile(fs.openSync(path, CREATE, FILE_MODE)),
  open: async (path) => new NumberedFile(await open(path, fs.constants.O_RDONLY | NO_FOLLOW)),
  openToWrite: async (path) =>
    new NumberedFile(await open(path, fs.constants.O_RDWR | fs.constants.O_CREAT | NO_FOLLOW, FILE_MODE)),
  makeDirectory: (path) => fs.promises.mkdir(path, DIRECTORY_MODE),
  list: (path) => fs.promises.readdir(path),
  async facts(path) {
    try {
      const found = await fs.promises.lstat(path);
      return { kind: kindOf(found), size: found.size, modifiedMs: found.mtimeMs };
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  },
  async touch(path) {
    const now = Date.now() / 1_000;
    await fs.promises.utimes(path, now, now);
  },
  rename: (from, to) => fs.promises.rename(from, to),
  remove: (path) => fs.promises.unlink(path),
  removeDirectory: (path) => fs.promises.rmdir(path),
  async syncDirectory(path) {
    try {
      const fd = await open(path, 'r');
      try {
        await fsync(fd);
      } finally {
        await close(fd);
      }
    } catch (error) {
      if (!isHarmless(error)) throw error;
    }
  },
  syncDirectorySync(path) {
    try {
      const fd = fs.openSync(path, 'r');
      try {
        fs.fsyncSync(fd);
      } finally {
        fs.closeSync(fd);
      }
    } catch (error) {
      if (!isHarmless(error)) throw error;
    }
  },
  isShared: async (path) => SHARED_TYPES.has((await fs.promises.statfs(path)).type),
};

function kindOf(found: fs.Stats): FileFacts['kind'] {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'directory';
  return found.isSymbolicLink() ? 'symlink' : 'other';
}

/** What `facts` and `isShared` tell, for a process that has no time to await them. */
export function kindOfSync(path: string): FileFacts['kind'] {
  return kindOf(fs.lstatSync(path));
}

export function isSharedSync(path: string): boolean {
  return SHARED_TYPES.has(fs.statfsSync(path).type);
}

/** Reads what fits from the start of a file; resolves with how much that was. */
export async function readStart(files: SpoolFiles, path: string, into: Buffer): Promise<number> {
  const file = await files.open(path);
  try {
    return await file.read(into, 0);
  } finally {
    await file.close();
  }
}

import type { FileFacts, SpoolFile, SpoolFiles } from '../../../src/pipeline/spool/spool-files.js';

/** What a power cut takes or leaves as one. Small, so that frames of a test spread over several. */
const PAGE_BYTES = 64;

interface FileNode {
  readonly kind: 'file';
  /** What programs see. */
  content: Buffer;
  /** What is on the disk itself. */
  durable: Buffer;
  /** Pages that a failed sync dropped: the kernel takes them for clean, so that no later sync writes them. */
  readonly dropped: Set<number>;
  modifiedMs: number;
}

interface DirectoryNode {
  readonly kind: 'directory';
  readonly names: Map<string, Node>;
  readonly durable: Map<string, Node>;
}

type Node = FileNode | DirectoryNode;

/** A rename is one change to two directories: a crash leaves both as they were, or neither. */
interface Rename {
  readonly from: { readonly directory: DirectoryNode; readonly name: string };
  readonly to: { readonly directory: DirectoryNode; readonly name: string };
  readonly node: Node;
}

/** `write` and `sync` are of files; `create` is of names, like the rest. */
export type DiskOperation = 'write' | 'sync' | 'truncate' | 'read' | 'create' | 'rename' | 'remove' | 'list';

/** True: the disk has it. */
export type Chance = () => boolean;

/**
 * A disk that tells what programs see from what is on the disk itself. What was not synced, a crash takes or leaves,
 * page by page and name by name, in any order. It can be full, fail, and stop in the middle of something.
 */
export class MemoryDisk {
  /** Fails operations with the system error named; a failed sync drops what it should have written. */
  readonly failing: Partial<Record<DiskOperation, string>> = {};
  /** Of all files together, in bytes. What goes over it is written in part, and fails the next time. */
  capacity = Infinity;
  nowMs = 1_000_000;
  /** How many operations were made, by name. */
  readonly done: Record<string, number> = {};
  #root: DirectoryNode = directoryNode();
  #renames: Rename[] = [];
  /** Operations until the process that makes them is gone. */
  #left = Infinity;

  /** A view of this disk for one process. */
  files(): SpoolFiles {
    return {
      create: (path) => this.#act('create', () => this.#openFile(path, 'new')),
      createSync: (path) => this.#now('create', () => this.#openFile(path, 'new')),
      open: (path) => this.#act('open', () => this.#openFile(path, 'old')),
      openToWrite: (path) => this.#act('create', () => this.#openFile(path, 'any')),
      makeDirectory: (path) => this.#act('create', () => this.#makeDirectory(path)),
      list: (path) => this.#act('list', () => [...this.#directory(path).names.keys()]),
      facts: (path) => this.#act('facts', () => this.#facts(path)),
      touch: (path) => this.#act('touch', () => void (this.#file(path).modifiedMs = this.nowMs)),
      rename: (from, to) => this.#act('rename', () => this.#rename(from, to)),
      remove: (path) => this.#act('remove', () => this.#remove(path, 'file')),
      removeDirectory: (path) => this.#act('remove', () => this.#remove(path, 'directory')),
      syncDirectory: (path) => this.#act('syncDirectory', () => this.#syncDirectory(this.#directory(path))),
      syncDirectorySync: (path) =>
        this.#now('syncDirectory', () => this.#syncDirectory(this.#directory(path))),
      isShared: () => Promise.resolve(false),
    };
  }

  /** The process makes so many operations more; the next one never comes back, nor any after it. */
  dieAfter(operations: number): void {
    this.#left = operations;
  }

  /** A process is there again. The disk is as the last one left it, with the kernel's memory. */
  revive(): void {
    this.#left = Infinity;
  }

  /** The kernel writes some of what was not synced. */
  writeBack(chance: Chance): void {
    for (const rename of [...this.#renames]) if (chance()) this.#makeDurable(rename);
    this.#writeBack(this.#root, chance, new Set());
  }

  /** The power goes, when the kernel had written some of what was not synced. */
  crash(chance: Chance): void {
    this.writeBack(chance);
    this.#renames = [];
    forgetUndurable(this.#root, new Set());
    this.revive();
  }

  /** Paths of all files, as programs see them. */
  filePaths(): readonly string[] {
    const paths: string[] = [];
    const visit = (directory: DirectoryNode, path: string): void => {
      for (const [name, node] of directory.names) {
        if (node.kind === 'file') paths.push(`${path}/${name}`);
        else visit(node, `${path}/${name}`);
      }
    };
    visit(this.#root, '');
    return paths;
  }

  /** Changes what is in a file, both for programs and on the disk. */
  damage(path: string, change: (content: Buffer) => Buffer): void {
    const file = this.#file(path);
    file.content = change(Buffer.from(file.content));
    file.durable = Buffer.from(file.content);
  }

  /** Somebody removes a file, or a directory with all that is in it. */
  remove(path: string): void {
    const { directory, name } = this.#place(path);
    directory.names.delete(name);
    directory.durable.delete(name);
  }

  contentOf(path: string): Buffer {
    return this.#file(path).content;
  }

  get usedBytes(): number {
    return this.filePaths().reduce((sum, path) => sum + this.#file(path).content.length, 0);
  }

  async #act<T>(name: string, operation: () => T): Promise<T> {
    await Promise.resolve();
    if (this.#left <= 0) return new Promise<never>(() => {});
    this.#left--;
    return this.#now(name, operation);
  }

  #now<T>(name: string, operation: () => T): T {
    this.done[name] = (this.done[name] ?? 0) + 1;
    const code = this.failing[name as DiskOperation];
    if (code !== undefined) throw systemError(code);
    return operation();
  }

  #node(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path.split('/').filter(Boolean)) {
      node = node?.kind === 'directory' ? node.names.get(name) : undefined;
    }
    return node;
  }

  #directory(path: string): DirectoryNode {
    const node = this.#node(path);
    if (node?.kind !== 'directory') throw systemError('ENOENT');
    return node;
  }

  #file(path: string): FileNode {
    const node = this.#node(path);
    if (node?.kind !== 'file') throw systemError('ENOENT');
    return node;
  }

  #place(path: string): { readonly directory: DirectoryNode; readonly name: string } {
    const slash = path.lastIndexOf('/');
    return { directory: this.#directory(path.slice(0, slash)), name: path.slice(slash + 1) };
  }

  #openFile(path: string, which: 'new' | 'old' | 'any'): SpoolFile {
    const { directory, name } = this.#place(path);
    let node = directory.names.get(name);
    if (node !== undefined && which === 'new') throw systemError('EEXIST');
    if (node === undefined) {
      if (which === 'old') throw systemError('ENOENT');
      node = { kind: 'file', content: EMPTY, durable: EMPTY, dropped: new Set(), modifiedMs: this.nowMs };
      directory.names.set(name, node);
    }
    if (node.kind !== 'file') throw systemError('EISDIR');
    return this.#handle(node);
  }

  #handle(file: FileNode): SpoolFile {
    let isOpen = true;
    const opened = <T>(operation: () => T): T => {
      if (!isOpen) throw systemError('EBADF');
      return operation();
    };
    return {
      write: (buffers, position) =>
        this.#act('write', () => opened(() => this.#write(file, buffers, position))),
      writeSync: (buffers, position) =>
        this.#now('write', () => opened(() => this.#write(file, buffers, position))),
      read: (into, position) => this.#act('read', () => opened(() => file.content.copy(into, 0, position))),
      sync: () => this.#act('syncFile', () => opened(() => this.#sync(file))),
      syncSync: () => this.#now('syncFile', () => opened(() => this.#sync(file))),
      truncate: (size) =>
        this.#act('truncate', () => opened(() => void (file.content = resized(file.content, size)))),
      close: () => this.#act('close', () => opened(() => void (isOpen = false))),
    };
  }

  #write(file: FileNode, buffers: readonly Buffer[], position: number): number {
    const bytes = Buffer.concat(buffers);
    const grows = Math.max(0, position + bytes.length - file.content.length);
    const free = this.capacity - this.usedBytes;
    const written = grows <= free ? bytes.length : Math.max(0, bytes.length - grows + Math.max(0, free));
    if (written === 0) throw systemError('ENOSPC');
    const end = position + written;
    const content = resized(file.content, Math.max(end, file.content.length));
    bytes.copy(content, position, 0, written);
    file.content = content;
    file.modifiedMs = this.nowMs;
    const last = Math.floor((end - 1) / PAGE_BYTES);
    for (let page = Math.floor(position / PAGE_BYTES); page <= last; page++) file.dropped.delete(page);
    return written;
  }

  #sync(file: FileNode): void {
    const code = this.failing.sync;
    if (code !== undefined) {
      for (const page of dirtyPages(file)) file.dropped.add(page);
      throw systemError(code);
    }
    persist(file, () => true);
  }

  #facts(path: string): FileFacts | undefined {
    const node = this.#node(path);
    if (node === undefined) return undefined;
    if (node.kind === 'directory') return { kind: 'directory', size: 0, modifiedMs: this.nowMs };
    return { kind: 'file', size: node.content.length, modifiedMs: node.modifiedMs };
  }

  #makeDirectory(path: string): void {
    const { directory, name } = this.#place(path);
    if (directory.names.has(name)) throw systemError('EEXIST');
    directory.names.set(name, directoryNode());
  }

  #rename(from: string, to: string): void {
    const source = this.#place(from);
    const target = this.#place(to);
    const node = source.directory.names.get(source.name);
    if (node === undefined) throw systemError('ENOENT');
    if (target.directory.names.get(target.name)?.kind === 'directory') throw systemError('ENOTEMPTY');
    source.directory.names.delete(source.name);
    target.directory.names.set(target.name, node);
    this.#renames.push({ from: source, to: target, node });
  }

  #remove(path: string, kind: Node['kind']): void {
    const { directory, name } = this.#place(path);
    const node = directory.names.get(name);
    if (node === undefined) throw systemError('ENOENT');
    if (node.kind !== kind) throw systemError('EPERM');
    if (node.kind === 'directory' && node.names.size > 0) throw systemError('ENOTEMPTY');
    directory.names.delete(name);
  }

  #syncDirectory(directory: DirectoryNode): void {
    const code = this.failing.sync;
    if (code !== undefined) throw systemError(code);
    // A name may have been renamed twice; the first change has to come first.
    for (const rename of [...this.#renames]) {
      if (rename.from.directory === directory || rename.to.directory === directory) this.#makeDurable(rename);
    }
    for (const name of new Set([...directory.names.keys(), ...directory.durable.keys()])) {
      if (
        !this.#renames.some(({ from, to }) => touches(from, directory, name) || touches(to, directory, name))
      ) {
        copyName(directory, name);
      }
    }
  }

  #makeDurable(rename: Rename): void {
    const index = this.#renames.indexOf(rename);
    if (index < 0) return;
    // What was renamed before must be where it was renamed to before it can be renamed again.
    for (const earlier of this.#renames.slice(0, index))
      if (earlier.node === rename.node) this.#makeDurable(earlier);
    this.#renames.splice(this.#renames.indexOf(rename), 1);
    rename.from.directory.durable.delete(rename.from.name);
    rename.to.directory.durable.set(rename.to.name, rename.node);
  }

  #writeBack(directory: DirectoryNode, chance: Chance, seen: Set<Node>): void {
    if (seen.has(directory)) return;
    seen.add(directory);
    for (const name of new Set([...directory.names.keys(), ...directory.durable.keys()])) {
      const isRenamed = this.#renames.some(
        ({ from, to }) => touches(from, directory, name) || touches(to, directory, name),
      );
      if (!isRenamed && directory.names.get(name) !== directory.durable.get(name) && chance()) {
        copyName(directory, name);
      }
    }
    for (const node of new Set([...directory.names.values(), ...directory.durable.values()])) {
      if (node.kind === 'directory') this.#writeBack(node, chance, seen);
      else persist(node, chance);
    }
  }
}

const EMPTY = Buffer.alloc(0);

function directoryNode(): DirectoryNode {
  return { kind: 'directory', names: new Map(), durable: new Map() };
}

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: a message with /a/path in it`), { code });
}

function touches(place: Rename['from'], directory: DirectoryNode, name: string): boolean {
  return place.directory === directory && place.name === name;
}

function copyName(directory: DirectoryNode, name: string): void {
  const node = directory.names.get(name);
  if (node === undefined) directory.durable.delete(name);
  else directory.durable.set(name, node);
}

function resized(content: Buffer, size: number): Buffer {
  const copy = Buffer.alloc(size);
  content.copy(copy);
  return copy;
}

function dirtyPages({ content, durable }: FileNode): readonly number[] {
  const pages: number[] = [];
  const size = Math.max(content.length, durable.length);
  for (let page = 0; page * PAGE_BYTES < size; page++) {
    const [from, to] = [page * PAGE_BYTES, (page + 1) * PAGE_BYTES];
    if (!content.subarray(from, to).equals(durable.subarray(from, to))) pages.push(page);
  }
  return pages;
}

/** Size and pages reach the disk each on its own; a page that did not reads as zeros where the file has grown. */
function persist(file: FileNode, chance: Chance): void {
  const pages = dirtyPages(file);
  if (pages.length === 0) return;
  const durable = resized(file.durable, chance() ? file.content.length : file.durable.length);
  for (const page of pages) {
    if (file.dropped.has(page) || !chance()) continue;
    const [from, to] = [page * PAGE_BYTES, (page + 1) * PAGE_BYTES];
    if (from < durable.length) file.content.subarray(from, to).copy(durable, from);
  }
  file.durable = durable;
}

function forgetUndurable(directory: DirectoryNode, seen: Set<Node>): void {
  if (seen.has(directory)) return;
  seen.add(directory);
  directory.names.clear();
  for (const [name, node] of directory.durable) {
    directory.names.set(name, node);
    if (node.kind === 'directory') forgetUndurable(node, seen);
    else {
      node.content = Buffer.from(node.durable);
      node.dropped.clear();
    }
  }
}

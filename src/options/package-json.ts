import { dirname, join, sep } from 'node:path';

export interface PackageIdentity {
  readonly name: string;
  readonly version: string | undefined;
}

/** The nearest package.json with a name, in a directory or above it. Never throws. */
export function findPackage(directory: string): PackageIdentity | undefined {
  for (let current = directory; ; current = dirname(current)) {
    const found = readPackage(join(current, 'package.json'));
    if (found !== undefined || dirname(current) === current) return found;
  }
}

function readPackage(path: string): PackageIdentity | undefined {
  try {
    // Not imported: that would read every getter of node:fs at start, 4 ms, in processes that never come here.
    const { readFileSync } = process.getBuiltinModule('node:fs');
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof content !== 'object' || content === null || !('name' in content)) return undefined;
    const { name } = content;
    // Builds put a nameless package.json, only with a "type", beside their output.
    if (typeof name !== 'string' || name === '') return undefined;
    const version = 'version' in content ? content.version : undefined;
    return { name, version: typeof version === 'string' && version !== '' ? version : undefined };
  } catch {
    return undefined;
  }
}

/**
 * Where the search for the package of this process starts: at the script, unless that is a tool which was
 * installed and runs the application (a test runner, a process manager), else at the working directory.
 */
export function searchDirectories(script: string | undefined, workingDirectory: string): string[] {
  const isOwnScript = script !== undefined && !script.split(sep).includes('node_modules');
  return isOwnScript ? [dirname(script), workingDirectory] : [workingDirectory];
}

let cached: PackageIdentity | undefined;
let searched = false;

/** The package that this process runs: read at the first call and once only. Never throws. */
export function ownPackage(): PackageIdentity | undefined {
  if (searched) return cached;
  searched = true;
  for (const directory of searchDirectories(process.argv[1], workingDirectory())) {
    cached ??= findPackage(directory);
  }
  return cached;
}

/** `process.cwd()` throws when the directory is gone. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return sep;
  }
}

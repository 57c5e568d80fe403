import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  KnownProcesses,
  type ProcessIdentity,
  type ProcessTable,
  systemProcesses,
} from '../../../src/pipeline/spool/processes.js';
import { statText } from './fake-process.js';

const SELF: ProcessIdentity = { pid: 50, started: '700', boot: 'boot-1', namespace: 'pid:[1]' };
const OTHER: ProcessIdentity = { ...SELF, pid: 60, started: '900' };

function table(other: string | undefined, signal: 'ok' | 'ESRCH' | 'other' = 'ESRCH'): ProcessTable {
  return { stat: (pid) => (pid === SELF.pid ? statText(50, '700') : other), signal: () => signal };
}

describe('the owner of a directory', () => {
  it('is alive while a process of its number and its start is there', () => {
    expect(new KnownProcesses(SELF, table(statText(60, '900'))).liveness(OTHER)).toBe('alive');
    expect(new KnownProcesses(SELF, table(undefined)).liveness(SELF)).toBe('alive');
  });

  it('is dead when its number is gone, or belongs to a later process (S7)', () => {
    expect(new KnownProcesses(SELF, table(undefined)).liveness(OTHER)).toBe('dead');
    expect(new KnownProcesses(SELF, table(statText(60, '901'))).liveness(OTHER)).toBe('dead');
    expect(new KnownProcesses(SELF, table(undefined)).liveness({ ...SELF, started: '690' })).toBe('dead');
  });

  it('is dead when nobody has asked for its exit code yet', () => {
    expect(new KnownProcesses(SELF, table(statText(60, '900', 'Z'))).liveness(OTHER)).toBe('dead');
  });

  it('is dead when the machine has started again since (S7)', () => {
    const before = { ...OTHER, boot: 'boot-0' };
    expect(new KnownProcesses(SELF, table(statText(60, '900'))).liveness(before)).toBe('dead');
  });

  it('is not for us to judge in a container of its own, or when the system hides it', () => {
    const elsewhere = { ...OTHER, namespace: 'pid:[2]' };
    expect(new KnownProcesses(SELF, table(undefined)).liveness(elsewhere)).toBe('unknown');
    expect(new KnownProcesses(SELF, table(undefined, 'other')).liveness(OTHER)).toBe('unknown');
  });

  it('is asked for by a signal where there is no /proc', () => {
    const none: ProcessTable = { stat: () => undefined, signal: (pid) => (pid === 60 ? 'ok' : 'ESRCH') };
    const self = { ...SELF, started: '1000000' };
    expect(new KnownProcesses(self, none).liveness(OTHER)).toBe('alive');
    expect(new KnownProcesses(self, none).liveness({ ...OTHER, pid: 61 })).toBe('dead');
    expect(new KnownProcesses(self, none).liveness({ ...self, started: '1000900' })).toBe('alive');
    expect(new KnownProcesses(self, none).liveness({ ...self, started: '1100000' })).toBe('dead');
  });

  it('is told from others on this machine: we live, a child lives until it is killed', async () => {
    const ours = systemProcesses();
    expect(ours.liveness(systemProcesses().self)).toBe('alive');
    const child = spawn(process.execPath, [
      '--input-type=module',
      '--eval',
      `import { readFileSync } from 'node:fs';
       let stat = '';
       try { stat = readFileSync('/proc/self/stat', 'utf8'); } catch {}
       console.log(JSON.stringify(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''));
       setInterval(() => {}, 1000);`,
    ]);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const started = JSON.parse(line.toString()) as string;
    const identity = { ...ours.self, pid: child.pid ?? -1, started };
    expect(ours.liveness(identity)).toBe('alive');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(ours.liveness(identity)).toBe('dead');
  });
});

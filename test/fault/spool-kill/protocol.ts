/** Where a process ends itself, by SIGKILL: at the nth operation of that name, before it, after it, or half-way. */
export interface CrashPoint {
  readonly operation:
    | 'create'
    | 'write'
    | 'writeSync'
    | 'sync'
    | 'syncDirectory'
    | 'rename'
    | 'touch'
    | 'remove'
    | 'openToWrite'
    | 'removeDirectory';
  readonly when: 'before' | 'half-way' | 'after';
  readonly nth: number;
}

/** What a child is to do; given as JSON in its first argument. */
export interface ChildOrder {
  readonly role: 'writer' | 'adopter';
  readonly directory: string;
  /** Writers: their batches are numbered from here. */
  readonly from: number;
  /** Adopters: release all and close, or end without a word. */
  readonly isLast: boolean;
  readonly crash: CrashPoint | undefined;
}

/**
 * Lines that a child writes, each in one system call, so that what was written is known when it is killed:
 * `ready`, then `+1` an append has resolved, `-1` is about to be released, `=1` was adopted and read back whole,
 * `!text` went wrong; adopters at last `done`.
 */
export type ChildLine = `${'+' | '-' | '='}${number}` | `!${string}` | 'ready' | 'done';

export const STREAM = 'logs:shop';
export const GROUP = 'etl';

export interface ChildSettings {
  readonly connection: string;
  /** Another Redis, in which what was handled survives the one who handled it. */
  readonly sink: string;
  readonly batchSize: number;
  readonly minIdleMs: number;
}

import type { SpoolFile } from './spool-files.js';
import type { SpoolContext } from './types.js';

/** As much as one segment; what is beyond is counted, not kept. */
const MAX_BYTES = 8_388_608;
const MAX_FILES = 64;
const CHUNK_BYTES = 262_144;
const DIRECTORY_NAME = 'bad';

export interface Damage {
  readonly file: SpoolFile;
  /** Where the file is: the process' directory and the segment. */
  readonly directory: string;
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
  /** Nothing in it to keep. */
  readonly isEmpty: boolean;
}

/** Where bytes go that make no sense, for a person to look at: `bad/` in the spool's directory. */
export class Quarantine {
  readonly #context: SpoolContext;
  readonly #path: string;
  /** What is kept, of all processes; known once something was. */
  #files = -1;
  #bytes = 0;

  constructor(context: SpoolContext) {
    this.#context = context;
    this.#path = `${context.root}/${DIRECTORY_NAME}`;
  }

  /** Reports damage, and keeps a copy of it as far as there is room. Never rejects. */
  async keep(damage: Damage): Promise<void> {
    const { directory, segment, offset, bytes } = damage;
    const what = `${bytes} bytes at ${offset} of segment ${segment} in ${directory} are damaged`;
    if (damage.isEmpty) {
      this.#context.problem('damaged', `${what}: they were never written. What is whole is used.`);
      return;
    }
    const name = `${directory}-${segment}-${offset}.bad`;
    const isKept = await this.#copy(damage, name).catch(() => false);
    const where = isKept ? `They are kept in ${DIRECTORY_NAME}/${name}.` : 'There is no room to keep them.';
    this.#context.problem('damaged', `${what}. What is whole is used. ${where}`);
  }

  async #copy({ file, offset, bytes }: Damage, name: string): Promise<boolean> {
    const { files } = this.#context;
    if (this.#files < 0) await this.#measure();
    const room = Math.min(bytes, MAX_BYTES - this.#bytes);
    if (this.#files >= MAX_FILES || room <= 0) return false;
    const path = `${this.#path}/${name}`;
    // A process that died while it looked through this segment has kept it already.
    if ((await files.facts(path)) !== undefined) return true;
    const copy = await files.create(path);
    this.#files++;
    try {
      for (let done = 0; done < room;) {
        const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, room - done));
        const read = await file.read(chunk, offset + done);
        if (read === 0) break;
        done += await copy.write([chunk.subarray(0, read)], done);
        this.#bytes += read;
      }
    } finally {
      await copy.close();
    }
    return true;
  }

  async #measure(): Promise<void> {
    const { files } = this.#context;
    if ((await files.facts(this.#path)) === undefined) await files.makeDirectory(this.#path);
    const names = await files.list(this.#path);
    for (const name of names) this.#bytes += (await files.facts(`${this.#path}/${name}`))?.size ?? 0;
    this.#files = names.length;
  }
}

import type { Template } from '../codec/template.js';
import type { Runtime } from '../pipeline/runtime.js';
import type { Resource } from '../record/log-record.js';

/** Resource detectors that ask a cloud's metadata service take a second or two, or never answer. */
const DETECTORS_MAX_MS = 2_000;

/** Holds batches back, for a bounded time, until the detectors of their resources have answered. */
export class ResourceGate {
  readonly #runtime: Runtime;
  readonly #passed = new WeakSet<Resource>();
  #open: Promise<void> | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Batches pass in the order in which they came, also while one of them waits. */
  async pass(templates: readonly Template[]): Promise<void> {
    for (const { resource } of templates) {
      if (resource?.asyncAttributesPending !== true || this.#passed.has(resource)) continue;
      const before = this.#open;
      this.#passed.add(resource);
      this.#open = Promise.all([before, this.#detected(resource)]).then(() => undefined);
    }
    if (this.#open !== undefined) await this.#open;
  }

  #detected(resource: Resource): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#runtime.after(DETECTORS_MAX_MS, resolve);
      const done = (): void => {
        cancel();
        resolve();
      };
      // A detector that fails leaves its attributes out; the records go on without them.
      Promise.resolve(resource.waitForAsyncAttributes?.()).then(done, done);
    });
  }
}

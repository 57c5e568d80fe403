// The logging side of figures/latency.mjs: every record says when its call was made.
import { openLogger } from '../loggers/index.mjs';
import { paced } from './load.mjs';
import { SITES } from './records.mjs';

const IDLE_MS = 5;

export async function open(where) {
  const { logger, settled } = await openLogger('ours', where);
  const [site] = SITES;
  const stamped = {
    log: (i) => logger.log(site.message(i), { ...site.attributes(i), sent: Number(process.hrtime.bigint()) }),
  };
  return {
    /** One record every few milliseconds: each finds the line free and the reader waiting. */
    async idle({ records }) {
      for (let i = 0; i < records; i++) {
        stamped.log(i);
        await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
      }
      await settled();
      return records;
    },
    async loaded({ rate, ms }) {
      const records = await paced(stamped, rate, ms);
      await settled();
      return records;
    },
  };
}

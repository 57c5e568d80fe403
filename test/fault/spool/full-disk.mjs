// Loaded before an application: as long as the file named by DISK_IS_FULL exists, nothing more can be written.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';

const { writev, writevSync } = fs;
const write = promisify(writev);

function throwIfFull() {
  if (!fs.existsSync(process.env.DISK_IS_FULL ?? '')) return;
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}

// The package only uses the promise and the synchronous form.
fs.writev = Object.assign(() => throwIfFull(), {
  [promisify.custom]: async (...args) => {
    throwIfFull();
    return write(...args);
  },
});
fs.writevSync = (...args) => {
  throwIfFull();
  return writevSync(...args);
};
syncBuiltinESMExports();

// Joins the ES modules of dist/esm: one file for each entry, and one for each part that several of them share or that
// is loaded late. Node needs a fifth to a third of a millisecond for every file, and importing the package would wait
// for some two hundred of them. Declarations stay as they are.
import { cpSync, globSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { rolldown } from 'rolldown';

/** @param entries paths in `folder`, without ".js" */
export async function joinModules(folder, entries) {
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map((entry) => [entry, join(folder, `${entry}.js`)])),
    // What others made is imported as before.
    external: (id) => !id.startsWith('.') && !id.startsWith(folder),
    platform: 'node',
    treeshake: false,
    plugins: [{ name: 'with-source-maps', load: withSourceMap }],
    onLog(level, log) {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  const joined = `${folder}.joined`;
  await bundle.write({
    dir: joined,
    format: 'es',
    sourcemap: true,
    // It would leave out what it takes for calls without effect, such as a `decodeURIComponent(text)` that may throw.
    minify: false,
    // What the root entry shares with parts that are loaded late would be named after the folder.
    chunkFileNames: ({ name }) => `parts/${name === basename(folder) ? 'root' : name}.js`,
  });
  await bundle.close();
  for (const file of globSync('**/*.{js,js.map}', { cwd: folder })) rmSync(join(folder, file));
  cpSync(joined, folder, { recursive: true });
  rmSync(joined, { recursive: true });
}

function withSourceMap(id) {
  return { code: readFileSync(id, 'utf8'), map: JSON.parse(readFileSync(`${id}.map`, 'utf8')) };
}

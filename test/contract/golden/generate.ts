/**
 * Writes vectors.json: `node test/contract/golden/generate.ts` with Node 24. Only for a new case or a new
 * version of the contract; a vector that exists must not change, since entries like it are stored already.
 */
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { format } from 'prettier';

// The sources name each other as they are called once compiled; Node runs them as they are.
registerHooks({
  resolve(specifier, context, nextResolve) {
    const isSource = specifier.startsWith('.') && context.parentURL?.includes('/node_modules/') === false;
    return nextResolve(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
});

const { makeVectors } = await import('./make-vectors.js');
const vectors = { contract: 1, vectors: makeVectors() };
const text = await format(JSON.stringify(vectors), { parser: 'json', printWidth: 110 });
writeFileSync(new URL('vectors.json', import.meta.url), text);

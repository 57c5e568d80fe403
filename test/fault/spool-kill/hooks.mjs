import { registerHooks } from 'node:module';

// The sources name each other as they are called once compiled; Node runs them as they are.
registerHooks({
  resolve(specifier, context, nextResolve) {
    const isSource = specifier.startsWith('.') && context.parentURL?.includes('/node_modules/') === false;
    return nextResolve(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
});

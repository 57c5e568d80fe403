// The child's side of child.mjs.
let functions = {};

process.on('message', ({ name, argument }) => {
  if (name === 'end') process.exit(0);
  answer(name, argument).then(
    (result) => process.send({ result }),
    (error) => process.send({ error: error instanceof Error ? error.stack : String(error) }),
  );
});
process.on('disconnect', () => process.exit(1));

async function answer(name, argument) {
  if (name !== 'open') return functions[name](argument);
  const { open } = await import(argument.module);
  functions = await open(argument.input);
}

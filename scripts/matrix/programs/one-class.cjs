// `require` and `import` give the same classes, so that there is one injection token in a process.
const assert = require('node:assert/strict');
const required = {
  root: require('nestjs-redis-log'),
  otel: require('nestjs-redis-log/otel'),
  core: require('nestjs-redis-log/core'),
  testing: require('nestjs-redis-log/testing'),
};

void (async () => {
  const imported = {
    root: await import('nestjs-redis-log'),
    otel: await import('nestjs-redis-log/otel'),
    core: await import('nestjs-redis-log/core'),
    testing: await import('nestjs-redis-log/testing'),
  };
  for (const entry of Object.keys(required)) {
    const names = Object.keys(imported[entry]).filter((name) => typeof imported[entry][name] === 'function');
    assert.ok(names.length > 0, `${entry} exports nothing`);
    for (const name of names) {
      assert.equal(required[entry][name], imported[entry][name], `${entry}: two different ${name}`);
    }
  }
  assert.equal(required.root.RedisLogRecordExporter, imported.otel.RedisLogRecordExporter);
})();

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findPackage, ownPackage, searchDirectories } from '../../../src/options/package-json.js';
import { resolveWriterOptions } from '../../../src/options/resolve.js';

describe('the service', () => {
  it('is what the options say, before everything else', () => {
    const service = {
      name: 'orders',
      version: '1.2.3',
      namespace: 'shop',
      instanceId: 'one',
      environment: 'staging',
    };
    const environment = {
      OTEL_SERVICE_NAME: 'x',
      OTEL_RESOURCE_ATTRIBUTES: 'service.version=9,service.namespace=9,service.instance.id=9',
      NODE_ENV: 'test',
    };
    expect(resolveWriterOptions({ service }, environment).service).toEqual(service);
  });

  it('is named by OTEL_SERVICE_NAME before OTEL_RESOURCE_ATTRIBUTES', () => {
    const attributes = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=from-attributes' };
    expect(resolveWriterOptions({}, attributes).service.name).toBe('from-attributes');
    const both = { ...attributes, OTEL_SERVICE_NAME: 'from-name' };
    expect(resolveWriterOptions({}, both).service.name).toBe('from-name');
  });

  it('takes each of its parts from OTEL_RESOURCE_ATTRIBUTES', () => {
    const text =
      'service.name=a,service.version=2,service.namespace=ns,service.instance.id=i,deployment.environment.name=qa';
    const { service } = resolveWriterOptions({}, { OTEL_RESOURCE_ATTRIBUTES: text, NODE_ENV: 'test' });
    expect(service).toEqual({ name: 'a', version: '2', namespace: 'ns', instanceId: 'i', environment: 'qa' });
  });

  it('is the package that runs when nobody names it, with the version of that package', () => {
    const { service } = resolveWriterOptions({}, {});
    expect(service).toMatchObject({ name: 'nestjs-redis-log', version: ownPackage()?.version });
  });

  it('has no version of a package that did not give the name', () => {
    expect(resolveWriterOptions({}, { OTEL_SERVICE_NAME: 'x' }).service.version).toBeUndefined();
  });

  it('has one random instance id in a process', () => {
    const first = resolveWriterOptions({}, {}).service.instanceId;
    expect(first).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(resolveWriterOptions({}, {}).service.instanceId).toBe(first);
    expect(Reflect.get(globalThis, Symbol.for('nestjs-redis-log.instance-id'))).toBe(first);
  });
});

describe('the resource', () => {
  it('describes service, host and process', () => {
    const { resource } = resolveWriterOptions(
      { service: { name: 'a', instanceId: 'i' } },
      { NODE_ENV: 'test' },
    );
    expect(resource).toEqual({
      attributes: {
        'service.name': 'a',
        'service.instance.id': 'i',
        'deployment.environment.name': 'test',
        'host.name': hostname(),
        'process.pid': process.pid,
        'telemetry.sdk.language': 'nodejs',
      },
    });
  });

  it('holds every attribute of OTEL_RESOURCE_ATTRIBUTES, decoded', () => {
    const text = ' team = shop%2C%20web ,k8s.pod.name=p-1,formula=a=b,host.name=h,__proto__=x,';
    const { attributes } = resolveWriterOptions({}, { OTEL_RESOURCE_ATTRIBUTES: text }).resource;
    expect(attributes).toMatchObject({
      team: 'shop, web',
      'k8s.pod.name': 'p-1',
      formula: 'a=b',
      'host.name': 'h',
    });
    expect(Object.getPrototypeOf(attributes)).toBe(Object.prototype);
    expect(Object.hasOwn(attributes, '__proto__')).toBe(true);
  });

  it('is what the user gives when one is given, and then names service and stream', () => {
    const resource = { attributes: { 'service.name': 'detected', 'service.version': '7' } };
    const writer = resolveWriterOptions({ resource }, {});
    expect(writer.resource).toBe(resource);
    expect(writer).toMatchObject({ service: { name: 'detected', version: '7' }, stream: 'logs:detected' });
    const named = resolveWriterOptions({ resource, service: { name: 'said' } }, {});
    expect(named.stream).toBe('logs:said');
  });
});

describe('the nearest package.json', () => {
  let root: string;

  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'package-'));
    mkdirSync(join(root, 'app', 'dist', 'deep'), { recursive: true });
    mkdirSync(join(root, 'bare', 'broken'), { recursive: true });
    writeFileSync(join(root, 'app', 'package.json'), '{"name":"@acme/orders","version":"2.0.0"}');
    writeFileSync(join(root, 'app', 'dist', 'package.json'), '{"type":"commonjs"}');
    writeFileSync(join(root, 'bare', 'package.json'), '{"name":"bare","version":5}');
    writeFileSync(join(root, 'bare', 'broken', 'package.json'), '{oops');
  });

  afterAll(() => rmSync(root, { recursive: true }));

  it('with a name is the one that counts, over nameless and broken ones', () => {
    const acme = { name: '@acme/orders', version: '2.0.0' };
    expect(findPackage(join(root, 'app', 'dist', 'deep'))).toEqual(acme);
    expect(findPackage(join(root, 'app'))).toEqual(acme);
    expect(findPackage(join(root, 'bare', 'broken'))).toEqual({ name: 'bare', version: undefined });
  });

  it('may be missing without an error', () => {
    expect(findPackage(join('/', 'no', 'such', 'directory'))).toBeUndefined();
    expect(findPackage(join('/', '\0'))).toBeUndefined();
  });

  it('is looked for at the script, unless an installed tool runs it', () => {
    expect(searchDirectories(join('/', 'app', 'dist', 'main.js'), '/work')).toEqual([
      join('/', 'app', 'dist'),
      '/work',
    ]);
    const runner = join('/', 'app', 'node_modules', 'runner', 'cli.js');
    expect(searchDirectories(runner, '/work')).toEqual(['/work']);
    expect(searchDirectories(undefined, '/work')).toEqual(['/work']);
  });
});

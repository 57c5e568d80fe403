import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultAlertRules, type ScaleAdvice } from 'nestjs-redis-log/monitor';
import { LEFT_OUT } from '../../../src/pipeline/account.js';
import { parse } from 'yaml';

const file = (path: string): string =>
  readFileSync(new URL(`../../../deploy/${path}`, import.meta.url), 'utf8');

const parseYaml = (text: string): unknown => parse(text, { strict: true });

function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (current, step) =>
      typeof current === 'object' && current !== null ? Reflect.get(current, String(step)) : undefined,
    value,
  );
}

describe('The files for KEDA', () => {
  it.each([
    ['single', 'redis-streams', 'addressFromEnv'],
    ['cluster', 'redis-cluster-streams', 'addressesFromEnv'],
    ['sentinel', 'redis-sentinel-streams', 'addressesFromEnv'],
  ])('%s: ask %s for the lag and for what is pending', (name, type, address) => {
    const object = parseYaml(file(`keda/${name}.yaml`));
    expect(at(object, 'kind')).toBe('ScaledObject');
    expect(at(object, 'spec', 'triggers', 0, 'type')).toBe(type);
    expect(at(object, 'spec', 'triggers', 1, 'type')).toBe(type);
    expect(at(object, 'spec', 'triggers', 0, 'metadata', 'lagCount')).toMatch(/^\d+$/);
    expect(at(object, 'spec', 'triggers', 1, 'metadata', 'pendingEntriesCount')).toMatch(/^\d+$/);
    for (const index of [0, 1]) {
      expect(at(object, 'spec', 'triggers', index, 'metadata', address)).toBeTypeOf('string');
      expect(at(object, 'spec', 'triggers', index, 'metadata', 'consumerGroup')).toBe('etl');
    }
    const master = at(object, 'spec', 'triggers', 0, 'metadata', 'sentinelMaster');
    expect(master !== undefined).toBe(name === 'sentinel');
  });

  it('advisor: read a figure that the advice has', () => {
    const metadata = at(parseYaml(file('keda/advisor.yaml')), 'spec', 'triggers', 0, 'metadata');
    const location: keyof ScaleAdvice = 'desired';
    expect(at(metadata, 'valueLocation')).toBe(location);
    expect(String(at(metadata, 'url'))).toMatch(/^http:\/\/.*\/redis-log\/scale\?group=/);
  });

  it('are all of them', () => {
    const names = readdirSync(new URL('../../../deploy/keda/', import.meta.url)).toSorted();
    expect(names).toEqual(['advisor.yaml', 'cluster.yaml', 'sentinel.yaml', 'single.yaml']);
  });
});

describe('The rules for Prometheus', () => {
  const groups = at(parseYaml(file('prometheus/redis-log-rules.yaml')), 'spec', 'groups');
  const rules = (groups as unknown[]).flatMap((group) => at(group, 'rules') as unknown[]);

  it('have an expression, a severity, a summary and what to do each, and each name once', () => {
    expect(rules.length).toBeGreaterThan(10);
    for (const rule of rules) {
      expect(at(rule, 'expr')).toMatch(/redis_/);
      expect(at(rule, 'for')).toMatch(/^\d+[sm]$/);
      expect(['info', 'warning', 'error', 'critical']).toContain(at(rule, 'labels', 'severity'));
      expect(at(rule, 'annotations', 'summary')).toMatch(/\S/);
      expect(at(rule, 'annotations', 'description')).toMatch(/\.$/);
    }
    expect(new Set(rules.map((rule) => at(rule, 'alert'))).size).toBe(rules.length);
  });

  it('stand for every default alert of the monitor, with its severity, and wait as long', () => {
    const severities: Record<string, string> = { warn: 'warning' };
    for (const { name, severity, forMs } of defaultAlertRules()) {
      const alert = name.startsWith('Logs') ? name : `Logs${name}`;
      const rule = rules.find((each) => at(each, 'alert') === alert);
      expect([alert, at(rule, 'labels', 'severity')]).toEqual([alert, severities[severity] ?? severity]);
      // The monitor is told of drops by guards, seldom; here they are counted as they happen.
      if (alert === 'LogsProducerDrops') continue;
      const text = String(at(rule, 'for'));
      const ms = Number.parseInt(text, 10) * (text.endsWith('m') ? 60_000 : 1_000);
      expect([alert, ms]).toEqual([alert, forMs]);
    }
  });

  it('take no record for dropped that the options left out', () => {
    const drops = String(
      at(
        rules.find((rule) => at(rule, 'alert') === 'LogsProducerDrops'),
        'expr',
      ),
    );
    const [, reasons = ''] = /redis_log_drop_reason!~"([^"]+)"/.exec(drops) ?? [];
    expect(new Set(reasons.split('|'))).toEqual(LEFT_OUT);
  });

  it('tell of losses that are over before anybody looks at the status', () => {
    const losing = rules.find((rule) => at(rule, 'alert') === 'LogsLosing');
    expect(at(losing, 'expr')).toMatch(
      /status="LOSING".* or delta\(redis_stream_group_entries_lost\[5m\]\) > 0/,
    );
  });
});

describe('The board for Grafana', () => {
  it('is JSON with panels that have a title, a place of their own and a query each', () => {
    const board = JSON.parse(file('grafana/redis-log-board.json')) as {
      panels: { id: number; title: string; gridPos: { x: number; w: number }; targets: { expr: string }[] }[];
    };
    expect(board.panels.length).toBeGreaterThan(10);
    expect(new Set(board.panels.map(({ id }) => id)).size).toBe(board.panels.length);
    for (const { title, gridPos, targets } of board.panels) {
      expect(title).toMatch(/\S/);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      expect(targets.every(({ expr }) => expr.includes('redis_'))).toBe(true);
    }
  });
});

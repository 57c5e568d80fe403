import { defaultAlertRules, isRedisLogError } from 'nestjs-redis-log/monitor';
import { describe, expect, it } from 'vitest';
import { resolveMonitorOptions } from '../../../src/monitor/options.js';

function problemsOf(options: unknown, environment: NodeJS.ProcessEnv = {}): string[] {
  try {
    resolveMonitorOptions(options, environment);
    return [];
  } catch (error) {
    if (!isRedisLogError(error)) throw error;
    expect(error.code).toBe('REDIS_LOG_INVALID_OPTIONS');
    return error.message.split('\n').slice(1);
  }
}

describe('The options of the monitor', () => {
  it('have the defaults that their documentation names', () => {
    expect(resolveMonitorOptions({ streams: 'logs:shop' }, {})).toEqual({
      connection: 'redis://127.0.0.1:6379',
      streams: ['logs:shop'],
      groups: undefined,
      intervalMs: 10_000,
      window: 10,
      consumerIdleMs: 60_000,
      claimTimeoutMs: 30_000,
      retention: {},
      countLimit: 10_000,
      memoryIntervalMs: 60_000,
      insightsIntervalMs: 60_000,
      gaps: false,
      heal: false,
      cleanUp: false,
      alerts: undefined,
      metrics: true,
      timeoutMs: 5_000,
    });
    expect(resolveMonitorOptions({ streams: ['a', 'b'], cleanUp: {} }, {}).cleanUp).toEqual({
      idleMs: 3_600_000,
      intervalMs: 60_000,
    });
  });

  it('come from the environment where they are not given', () => {
    const environment = {
      REDIS_LOG_URL: 'redis://logs:6379',
      REDIS_URL: 'redis://other',
      REDIS_LOG_STREAM: 'logs:env',
    };
    expect(resolveMonitorOptions({}, environment)).toMatchObject({
      connection: 'redis://logs:6379',
      streams: ['logs:env'],
    });
    expect(resolveMonitorOptions({ streams: 'mine', connection: '/sock' }, environment)).toMatchObject({
      connection: '/sock',
      streams: ['mine'],
    });
  });

  it('that are wrong are all named at once, with what to give instead', () => {
    const problems = problemsOf({
      streams: ['a', 'a'],
      intervalMs: 5,
      window: 'ten',
      interval: 3,
      retention: { maxLength: 0, keep: 1 },
      cleanUp: { idleMs: 1 },
      alerts: { rules: [{ name: 'Mine' }], webhook: { url: 'ftp://user:secret@host/?token=secret' } },
      connection: 'http://user:secret@host',
    });
    expect(problems.map((line) => line.split(':')[0])).toEqual([
      '- connection',
      '- streams',
      '- intervalMs',
      '- window',
      '- retention.maxLength',
      '- retention.keep',
      '- cleanUp.idleMs',
      '- alerts.rules.0',
      '- alerts.webhook.url',
      '- interval',
    ]);
    expect(problems.join('\n')).not.toContain('secret');
  });

  it('take no two rules of one name, and say so beside the other problems', () => {
    const rule = (name: string): object => ({ name, severity: 'warn', forMs: 0, evaluate: () => [] });
    const rules = [...defaultAlertRules(), rule('Mine'), rule('Stalled'), rule('Mine'), rule('')];
    expect(problemsOf({ streams: 'a', window: 1, alerts: { rules } })).toEqual([
      expect.stringMatching(/^- window: /),
      expect.stringMatching(/^- alerts\.rules\.\d+: /),
      '- alerts.rules: got more than one rule named "Stalled". Give each rule a name of its own.',
      '- alerts.rules: got more than one rule named "Mine". Give each rule a name of its own.',
    ]);
  });

  it('name no stream only where the environment does', () => {
    expect(problemsOf({})).toEqual([expect.stringMatching(/^- streams: got nothing\. .* REDIS_LOG_STREAM/)]);
    expect(problemsOf(7)).toHaveLength(1);
  });
});

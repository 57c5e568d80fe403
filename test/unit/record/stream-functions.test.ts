import { describe, expect, it } from 'vitest';
import { streamByService, streamBySeverity } from '../../../src/record/stream-functions.js';
import { recordOf } from '../pipeline/pipeline-harness.js';

describe('A stream by severity', () => {
  it('has the name of the class, and that of info where a record has none', () => {
    const streamOf = streamBySeverity('logs:shop');
    const names = [1, 5, 9, 12, 13, 17, 20, 21, 24].map((severity) => streamOf(recordOf('r', severity)));
    const words = ['trace', 'debug', 'info', 'info', 'warn', 'error', 'error', 'fatal', 'fatal'];
    expect(names).toEqual(words.map((word) => `logs:shop:${word}`));
    const { severityNumber: _, ...record } = recordOf('r', 9);
    expect(streamOf(record)).toBe('logs:shop:info');
  });
});

describe('A stream by service', () => {
  it('has the name of the service of the record', () => {
    const of = (attributes: Record<string, unknown>) => ({ ...recordOf('r', 9), resource: { attributes } });
    expect(streamByService()(of({ 'service.name': 'cart' }))).toBe('logs:cart');
    expect(streamByService('prod')(of({ 'service.name': 'cart' }))).toBe('prod:cart');
    expect(streamByService()(of({}))).toBe('logs:unknown_service');
  });
});

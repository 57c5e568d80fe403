import {
  type AlertFinding,
  defaultAlertRules,
  type ErrorMessage,
  type ErrorSample,
  type MonitorSample,
} from 'nestjs-redis-log/monitor';
import { describe, expect, it } from 'vitest';
import { sampleWith } from './samples.js';

const HOUR = 3_600_000;
const NOW = 1_700_000_000_000;

function message(given: Partial<ErrorMessage> = {}): ErrorMessage {
  const base = { id: 'a', service: 'orders', level: 'error', template: 'Card declined', count: 12 } as const;
  return { ...base, firstSeen: NOW, entryId: '1-0', ...given };
}

function errors(given: Partial<ErrorSample> = {}): MonitorSample {
  const share = { count: 12, total: 40, share: 0.3, usualShare: 0.05 };
  const sample = { from: NOW, ...share, mostFrequent: message(), newMessages: [], ...given };
  return sampleWith([], { errors: sample, serverMs: NOW });
}

/** What a rule says of each of these samples, one after the other. */
function findings(name: string, ...samples: MonitorSample[]): (readonly AlertFinding[])[] {
  const rule = defaultAlertRules().find((each) => each.name === name);
  return samples.map((sample) => rule?.evaluate(sample) ?? []);
}

function isBad(given: Partial<ErrorSample>): boolean | undefined {
  return findings('ErrorShare', errors(given))[0]?.[0]?.isBad;
}

describe('ErrorShare', () => {
  it('needs more than three times the usual part, and ten errors', () => {
    expect(isBad({})).toBe(true);
    expect(isBad({ share: 0.15 })).toBe(false);
    expect(isBad({ usualShare: 0 })).toBe(true);
    expect(isBad({ count: 10 })).toBe(true);
    expect(isBad({ count: 9 })).toBe(false);
    expect(isBad({ count: 0, total: 0, share: undefined, usualShare: undefined })).toBe(false);
  });

  it('says nothing while what is usual is not known, or the stream cannot be read', () => {
    expect(isBad({ usualShare: undefined })).toBeUndefined();
    const [found] = findings('ErrorShare', sampleWith([], { errors: undefined, problem: 'no connection' }));
    expect(found).toMatchObject([{ subject: { stream: 'logs:shop' }, isBad: undefined }]);
  });

  it('says the parts in percent, and where to look', () => {
    const [found] = findings('ErrorShare', errors({ share: 0.12345, usualShare: 0.00301 }));
    expect(found).toMatchObject([
      {
        text: 'Stream logs:shop has errors in 12 % of its records (12 of 40), usual is 0.3 %; most often: Card declined (orders)',
        whatToDo:
          "See insights.common(undefined, 'error', '15m') for what they say, and reader.context('1-0') for one of them.",
      },
    ]);
    const [without] = findings('ErrorShare', errors({ mostFrequent: undefined }));
    expect(without?.[0]?.text).toMatch(/usual is 5 %$/);
  });
});

describe('NewError', () => {
  it('shows of a message its beginning, masked, and nothing that a terminal obeys', () => {
    const template = `Refused 4711 \u001B[H\u202E ${'very '.repeat(100)}long`;
    const [found] = findings('NewError', errors({ newMessages: [message({ template })] }));
    const text = found?.[0]?.text ?? '';
    expect(text).toContain('Refused <n> \\u001b[H\\u202e very very');
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text.length).toBeLessThan(330);
    expect(text).toMatch(/\.\.\. \(orders\)$/);
  });

  it('tells the messages of a stream apart by their ids, and names one without a text', () => {
    const newMessages = [message({ template: '', service: '' }), message({ id: 'b' })];
    const [found] = findings('NewError', errors({ newMessages }));
    expect(found?.map(({ subject, isBad: bad }) => [subject.message, bad])).toEqual([
      ['a', true],
      ['b', true],
    ]);
    expect(found?.[0]?.text).toMatch(/never seen before: \(no text\)$/);
  });

  it('leaves a message as it is while nobody can tell, for an hour at most', () => {
    const unknown = sampleWith([], { errors: undefined, serverMs: NOW + HOUR - 1 });
    const later = sampleWith([], { errors: undefined, serverMs: NOW + HOUR });
    const news = errors({ newMessages: [message()] });
    const states = findings('NewError', news, unknown, news, later, unknown).map((found) =>
      found.map((each) => each.isBad),
    );
    expect(states).toEqual([[true], [undefined], [true], [], []]);
  });
});

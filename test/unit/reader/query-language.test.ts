import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRedisLogError } from '../../../src/errors.js';
import type { LogRecord } from '../../../src/record/log-record.js';
import { compileQuery, parseQuery, printQuery, type QueryNode } from '../../../src/reader/index.js';

function record(parts: Partial<LogRecord> = {}): LogRecord {
  return {
    hrTime: [1_790_000_000, 0],
    hrTimeObserved: [1_790_000_000, 0],
    severityNumber: 13,
    severityText: 'warn',
    body: 'Card declined by the bank',
    resource: { attributes: { 'service.name': 'orders', 'host.name': 'web-1', 'service.version': '1.2' } },
    instrumentationScope: { name: 'PaymentsService' },
    spanContext: { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 },
    attributes: {
      'http.route': '/orders/:id',
      'http.response.status_code': 502,
      'user.id': '42',
      'order.id': 42,
      paid: true,
      big: 9_007_199_254_740_993n,
      tags: ['blue', 'Green'],
      user: { address: { city: 'Leipzig' } },
      'weird name': 'x',
      level: 'attribute',
      none: null,
    },
    droppedAttributesCount: 0,
    ...parts,
  };
}

async function matches(query: string, subject: LogRecord = record()): Promise<boolean> {
  return (await compileQuery(query))(subject);
}

function problemOf(text: string): { position: number | undefined; message: string } {
  try {
    parseQuery(text);
  } catch (error) {
    if (isRedisLogError(error) && error.code === 'REDIS_LOG_QUERY_SYNTAX') {
      return { position: error.position, message: error.message };
    }
    throw error;
  }
  throw new Error(`${text} is no error`);
}

describe('A query finds', () => {
  it.each([
    '',
    'level>=warn',
    'level:warn',
    'level:WARN',
    'level=13',
    'level>info',
    'level<error',
    'level<=13',
    'level:debug..warn',
    'level:(warn OR error)',
    'severity_text:Warn',
    'declined',
    'DECLINED bank',
    '"card declined"',
    'body:declined',
    'message:"by the"',
    'card*bank',
    '/decl[i]ned by/',
    '/DECLINED/i',
    'http.route:/orders/*',
    'http.route:/orders/:id',
    'route:/ORDERS/*',
    'http.route:/^\\/orders/',
    'status>=500',
    'status:500..599',
    'status:..502',
    'status:502..',
    'status:>=502',
    'status:502',
    'status!=200',
    'status:(500 OR 502)',
    'user.id:42',
    'order.id:42',
    'order.id=42',
    'order.id:42.0',
    'big:9007199254740993',
    'big>9007199254740992',
    'paid:true',
    'tags:blue',
    'tags:green',
    'tags:b*',
    'tags.1:green',
    'user.address.city:leipzig',
    '"weird name":x',
    'attributes.level:attribute',
    'none:null',
    'service:orders',
    'service.name=orders',
    'host:web-1',
    'resource.host.name:web*',
    'version:1.2',
    'logger:paymentsservice',
    'context:Pay*',
    'trace:0AF7651916cd43dd8448eb211c80319c',
    'trace_id:0af765*',
    'span:b7ad6b7169203331',
    'has:user.id',
    'has:trace',
    '-has:missing',
    'NOT level>=error',
    '-user.id:43',
    '-(level>=error OR user.id:43)',
    'level>=error OR status>=500',
    'level>=error AND status>=500 OR declined',
    'declined - bank OR declined',
    'missing!=5',
  ])('what it describes: %s', async (query) => {
    expect(await matches(query)).toBe(true);
  });

  it.each([
    'level>=error',
    'level>warn',
    'level:info',
    'approved',
    '"declined card"',
    '/Decl1ned/',
    '/DECLINED/',
    'http.route:/orders',
    'http.route=/ORDERS/:id',
    'http.route=/orders/*',
    'status:500',
    'status>502',
    'status:200..299',
    'status>=five',
    '-user.id:42',
    'order.id:43',
    'tags:red',
    'tags=green',
    'user.address.city:Halle',
    'has:missing',
    'missing:5',
    'missing>5',
    'level>=error OR status>=600',
    'declined -bank',
    'declined (approved OR refused)',
  ])('nothing else: %s', async (query) => {
    expect(await matches(query)).toBe(false);
  });

  it('a record without a severity as INFO', async () => {
    const plain = record({ severityNumber: undefined });
    expect(await matches('level:info', plain)).toBe(true);
    expect(await matches('has:level', plain)).toBe(false);
  });

  it('an attribute of the short name itself before the one that it stands for', async () => {
    const paid = record({ attributes: { status: 'paid', 'http.response.status_code': 500 } });
    expect(await matches('status:paid', paid)).toBe(true);
    expect(await matches('status>=500', paid)).toBe(false);
  });

  it('text in a body that is no text, as it stands in Redis', async () => {
    const structured = record({ body: { order: { state: 'Lost' } } });
    expect(await matches('"state":lost', structured)).toBe(false);
    expect(await matches('lost', structured)).toBe(true);
    expect(await matches('has:body', record({ body: undefined }))).toBe(false);
  });

  it('addresses as text, although a colon stands in them', async () => {
    expect(await matches('https://shop.example/a', record({ body: 'GET https://shop.example/a 500' }))).toBe(
      true,
    );
  });
});

describe('A query that is wrong', () => {
  it.each([
    ['level>=wrn', 7, 'There is no level "wrn"'],
    ['(level>=warn', 0, 'no ")" for this "("'],
    ['a b)', 3, 'no "(" for this ")"'],
    ['"card', 0, 'never closed'],
    ['user.id:', 8, 'A value is missing after user.id:'],
    ['Error: declined', 6, 'A value is missing'],
    ['a OR', 4, 'Something is missing'],
    ['AND a', 0, 'before AND'],
    ['a AND OR b', 6, 'before OR'],
    ['status:..', 7, 'A range'],
    ['status>5*', 7, 'without a star'],
    ['status>/5/', 7, 'A regex stands behind a colon'],
    ['level:/w/', 6, 'A level is a name or a number'],
    ['timestamp>5', 0, 'Use from and to'],
    ['a seq:5', 2, 'attributes.seq'],
    ['has:', 4, 'wants the name of a field'],
    ['x:(a OR )', 8, 'A value is missing'],
    ['NOT', 3, 'Something is missing'],
    ['status:600..500', 7, 'The range 600..500 is empty'],
    ['level:error..warn', 6, 'The range error..warn is empty'],
    ['a && b', 2, 'write a AND b'],
    ['a & b', 2, 'write a AND b'],
    ['a || b', 2, 'write a OR b'],
    ['(a | b)', 3, 'write a OR b'],
    ['!a', 0, 'write -a or NOT a'],
    ['x !(a b)', 2, 'write -a or NOT a'],
    ['user.id :42', 8, 'there is no space'],
    ['level >= warn', 6, 'there is no space'],
    ['status >=500', 7, 'there is no space'],
    ['status != 500', 7, 'there is no space'],
    ['/de.*ned$/g', 0, 'takes no flag but i'],
    ['http.route:/^x/gi', 11, 'takes no flag but i'],
  ])('says where: %s', (query, position, what) => {
    const problem = problemOf(query);
    expect(problem.message).toContain(what);
    expect(problem.position).toBe(position);
    const [, shown = '', caret = ''] = problem.message.split('\n');
    expect(shown.slice(2)).toBe(query);
    expect(caret.indexOf('^') - 2).toBe(position);
  });

  it('is none where the same signs stand within words, or for themselves', async () => {
    const text = 'a && b, a || b, !a, user.id :42, /x+/g and /orders/g';
    for (const query of [
      '"a && b"',
      '"a || b"',
      '"!a"',
      '\\!a',
      '" :42"',
      '\\:42',
      '"/x+/g"',
      '/orders/g',
      'x&&y OR a',
      'status:500..500 OR a',
      'status:..500 OR a',
      'name:z..a OR a',
    ]) {
      expect(await matches(query, record({ body: text })), query).toBe(true);
    }
  });

  it('says where a regex is none', async () => {
    const error: unknown = await compileQuery('a /x(/').catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'REDIS_LOG_QUERY_SYNTAX', position: 2 });
  });

  it('is refused when it is too long or too deep', () => {
    expect(problemOf('a'.repeat(10_001)).message).toContain('at most 10000');
    expect(problemOf(`${'('.repeat(101)}a${')'.repeat(101)}`).message).toContain('levels deep');
    expect(problemOf(`/${'a'.repeat(501)}/`).message).toContain('at most 500');
    expect(problemOf(`${'a.'.repeat(20)}b:1`).message).toContain('16 dots');
  });

  it('is never anything but an error of ours', () => {
    const pieces = fc.constantFrom(
      '(',
      ')',
      '"',
      '\\',
      '-',
      'NOT ',
      ' OR ',
      ' AND ',
      ':',
      '>=',
      '..',
      '*',
      '/',
      'level',
      'has:',
      'a',
      '5',
      ' ',
      '!=',
      '&&',
      '|',
      '/x+/g',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.array(pieces).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseQuery(text);
        } catch (error) {
          const isOurs = isRedisLogError(error) && error.code === 'REDIS_LOG_QUERY_SYNTAX';
          if (!isOurs || error.position === undefined) throw error;
        }
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);
});

const texts = fc.oneof(
  fc.string({ minLength: 1, maxLength: 6 }),
  fc.constantFrom(
    'AND',
    'OR',
    'NOT',
    'a..b',
    '.',
    '..',
    '-x',
    '/x/',
    '>=5',
    '5',
    '&&',
    '|',
    '!x',
    'a b',
    'x:y',
    'https://x',
    '\\',
    '"',
  ),
);
const words = fc
  .array(fc.oneof(texts, fc.constant('')), { minLength: 1, maxLength: 3 })
  .filter((parts) => parts.length > 1 || parts[0] !== '')
  .map((parts) => ({ kind: 'word', parts }) as const);
const phrases = fc.string({ maxLength: 6 }).map((text) => ({ kind: 'phrase', text }) as const);
const fields = fc.constantFrom(
  'user.id',
  'http.route',
  'body',
  'weird name',
  'has',
  'x"y',
  'ünï',
  'a-b',
  'status',
);
/** Numbers among the bounds would have to be in order. */
const bounds = fc
  .tuple(fc.option(texts, { nil: undefined }), fc.option(texts, { nil: undefined }))
  .filter(([from, to]) => (from ?? to) !== undefined && !(Number(from) > Number(to)))
  .map(([from, to]) => ({ kind: 'range', from, to }) as const);
const regexes = fc
  .tuple(fc.constantFrom('a.c', 'a/b', '\\d+ (x|y)', '[/]', '^\\/x', 'ä'), fc.boolean())
  .map(
    ([source, ignoreCase]) => ({ kind: 'regex', source: source.replace('\\/', '/'), ignoreCase }) as const,
  );

const leaves: fc.Arbitrary<QueryNode> = fc.oneof(
  fc.record({ type: fc.constant('has' as const), field: fields, position: fc.constant(0) }),
  fc.record({
    type: fc.constant('match' as const),
    field: fc.constant(undefined),
    operator: fc.constant(':' as const),
    value: fc.oneof(words, phrases, regexes),
    position: fc.constant(0),
  }),
  fc.record({
    type: fc.constant('match' as const),
    field: fields,
    operator: fc.constant(':' as const),
    value: fc.oneof(words, phrases, bounds, regexes),
    position: fc.constant(0),
  }),
  fc.record({
    type: fc.constant('match' as const),
    field: fields,
    operator: fc.constantFrom('=' as const, '>' as const, '>=' as const, '<' as const, '<=' as const),
    value: phrases,
    position: fc.constant(0),
  }),
);
const { tree } = fc.letrec<{ tree: QueryNode }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaves,
    fc.record({ type: fc.constant('not' as const), node: tie('tree') }),
    fc.record({
      type: fc.constantFrom('and' as const, 'or' as const),
      nodes: fc.array(tie('tree'), { minLength: 2, maxLength: 4 }),
    }),
  ),
}));

function withoutPositions(node: QueryNode): unknown {
  return JSON.parse(JSON.stringify(node, (key, value: unknown) => (key === 'position' ? undefined : value)));
}

describe('A query tree', () => {
  it('is the same again after it was printed and parsed', () => {
    fc.assert(
      fc.property(tree, (node) => {
        const text = printQuery(node);
        expect(withoutPositions(parseQuery(text)), text).toEqual(withoutPositions(node));
      }),
      { numRuns: 1_000 },
    );
  }, 60_000);

  it('combines as logic does', async () => {
    const letters = ['a', 'b', 'c', 'd'];
    const letter = fc.constantFrom(...letters).map((text): QueryNode => ({
      type: 'match',
      field: undefined,
      operator: ':',
      value: { kind: 'word', parts: [text] },
      position: 0,
    }));
    const { logic } = fc.letrec<{ logic: QueryNode }>((tie) => ({
      logic: fc.oneof(
        { maxDepth: 5 },
        letter,
        fc.record({ type: fc.constant('not' as const), node: tie('logic') }),
        fc.record({
          type: fc.constantFrom('and' as const, 'or' as const),
          nodes: fc.array(tie('logic'), { minLength: 2, maxLength: 3 }),
        }),
      ),
    }));
    const naive = (node: QueryNode, body: string): boolean => {
      if (node.type === 'and') return node.nodes.every((each) => naive(each, body));
      if (node.type === 'or') return node.nodes.some((each) => naive(each, body));
      if (node.type === 'not') return !naive(node.node, body);
      return node.type === 'match' && node.value.kind === 'word' && body.includes(node.value.parts[0] ?? '');
    };
    await fc.assert(
      fc.asyncProperty(logic, fc.subarray(letters), async (node, present) => {
        const body = present.join('');
        const test = await compileQuery(printQuery(node));
        expect(test(record({ body }))).toBe(naive(node, body));
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

describe('Hostile queries', () => {
  it.each([
    ['a regex that would take others forever', `/(a+)+$/`],
    ['a wildcard with many stars', `${'a*'.repeat(300)}b`],
  ])('take time in proportion to the text: %s', async (_name, query) => {
    const test = await compileQuery(query);
    const time = (length: number): number => {
      const subject = record({ body: `${'a'.repeat(length)}!` });
      const before = process.cpuUsage();
      expect(test(subject)).toBe(false);
      return process.cpuUsage(before).user / 1_000;
    };
    time(1_000);
    // One that looks back would need longer than the universe is old.
    expect(time(20_000)).toBeLessThan(5_000);
  });
});

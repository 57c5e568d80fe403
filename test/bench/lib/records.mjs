// The records that every figure uses: a message of about 60 characters, six attributes of mixed types, trace and
// span ids, and a resource of eight attributes, from one call site or from five that differ in their attributes.
import { TraceFlags } from '@opentelemetry/api';

/** The resource of an ordinary service in Kubernetes. */
export const RESOURCE_ATTRIBUTES = {
  'service.name': 'orders',
  'service.version': '4.12.1',
  'service.namespace': 'shop',
  'service.instance.id': '5f0c1f3a-7a0b-4f86-9d53-0c3c5b0c7a11',
  'deployment.environment.name': 'production',
  'host.name': 'orders-7d9c5b6f4-x2v8q',
  'process.pid': 4242,
  'telemetry.sdk.language': 'nodejs',
};

/** A call site: its Nest context, its message, its attributes; `i` makes each record differ from the last. */
export const SITES = [
  {
    context: 'OrdersService',
    message: (i) => `Order placed by customer and handed over to payment: ${10_000 + (i % 90_000)}`,
    attributes: (i) => ({
      'user.id': `u-${10_000 + (i % 5_000)}`,
      'order.id': i,
      'order.total': (1_999 + (i % 9_000)) / 100,
      'http.route': '/orders/:id',
      'order.paid': i % 2 === 0,
      'order.items': 1 + (i % 7),
    }),
  },
  {
    context: 'PaymentsService',
    message: (i) => `Payment was authorised by the provider after ${100 + (i % 900)} ms`,
    attributes: (i) => ({
      'payment.id': `pay_${i.toString(36)}`,
      'payment.provider': 'stripe',
      'payment.amount': 5.5 + (i % 300),
      'payment.currency': 'EUR',
      'payment.captured': i % 3 === 0,
      'retry.count': i % 4,
    }),
  },
  {
    context: 'HttpRequests',
    message: (i) => `GET /orders/${10_000 + (i % 90_000)} was answered in time, from the cache`,
    attributes: (i) => ({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'http.route': '/orders/:id',
      'http.server.duration': (i % 2_500) / 10,
      'client.address': `10.1.${i % 200}.${i % 250}`,
      'http.cached': i % 5 === 0,
    }),
  },
  {
    context: 'StockService',
    message: (i) => `Stock of article ${10_000 + (i % 4_000)} was reserved in a warehouse nearby`,
    attributes: (i) => ({
      'article.sku': `SKU-${10_000 + (i % 4_000)}`,
      'article.quantity': 1 + (i % 9),
      'warehouse.name': 'Leipzig 2',
      'warehouse.distance': 12.5 + (i % 80),
      'stock.backorder': false,
      'stock.remaining': i % 1_000,
    }),
  },
  {
    context: 'MailService',
    message: (i) => `Confirmation mail was handed to the mail server: ${10_000 + (i % 90_000)}`,
    attributes: (i) => ({
      'mail.template': 'order-confirmation',
      'mail.size': 2_048 + (i % 4_096),
      'mail.recipient': `c${i % 5_000}@example.org`,
      'mail.attachments': i % 3,
      'mail.html': true,
      'mail.spam_score': (i % 40) / 10,
    }),
  },
];

/**
 * Span contexts in turn: each is the span of one request, which logs five records. Ids are made as the SDK makes them,
 * from bytes: strings put together from parts would be slower to read, character by character, than real ones.
 */
export const SPANS = Array.from({ length: 1_000 }, (_, index) => ({
  traceId: hex(0x0af7651916cd43ddn, 0x8448eb211c80319cn + BigInt(index)),
  spanId: hex(0x17ad6b7169203331n + BigInt(index)),
  traceFlags: TraceFlags.SAMPLED,
}));

function hex(...words) {
  const bytes = Buffer.alloc(8 * words.length);
  words.forEach((word, index) => bytes.writeBigUInt64BE(word, 8 * index));
  return bytes.toString('hex');
}

/** The whole record as one plain object, for what stores JSON. `resource` as given: inlined, or a reference. */
export function plainRecord(site, i, resource) {
  const span = SPANS[i % SPANS.length];
  return {
    timestamp: new Date(1_790_000_000_000 + i).toISOString(),
    severity_number: 9,
    severity_text: 'log',
    message: site.message(i),
    'service.name': 'orders',
    trace_id: span.traceId,
    span_id: span.spanId,
    trace_flags: span.traceFlags,
    'otel.scope.name': site.context,
    attributes: site.attributes(i),
    resource,
  };
}

/** The same record in the shape of the SDK's `ReadableLogRecord`, for the codec. */
export function readableRecord(site, i) {
  const hrTime = [1_790_000_000 + Math.floor(i / 1_000), (i % 1_000) * 1_000_000];
  return {
    hrTime,
    hrTimeObserved: hrTime,
    spanContext: SPANS[i % SPANS.length],
    severityNumber: 9,
    severityText: 'log',
    body: site.message(i),
    eventName: undefined,
    resource: RESOURCE,
    instrumentationScope: SCOPES.get(site),
    attributes: site.attributes(i),
    droppedAttributesCount: 0,
  };
}

const RESOURCE = { attributes: RESOURCE_ATTRIBUTES };
const SCOPES = new Map(SITES.map((site) => [site, { name: site.context }]));

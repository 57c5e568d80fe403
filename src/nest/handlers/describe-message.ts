import type { ExecutionContext } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { Attributes } from '../../record/log-record.js';
import type { Followed } from './outcome-log.js';

/** Where Nest keeps what a handler listens to. */
const PATTERN = 'microservices:pattern';
const WS_MESSAGE = 'message';

/** Nest's context classes of transports that are message brokers, and their names in the messaging conventions. */
const BROKERS: Readonly<Record<string, string>> = {
  KafkaContext: 'kafka',
  MqttContext: 'mqtt',
  NatsContext: 'nats',
  RedisContext: 'redis',
  RmqContext: 'rabbitmq',
};

/** The others, by the RPC conventions. */
const CALLS: Readonly<Record<string, string>> = { Metadata: 'grpc', TcpContext: 'tcp' };

/** What an interceptor is called for, by the semantic conventions of OpenTelemetry as far as they go. */
export function describeMessage(context: ExecutionContext): Followed {
  const name = `${context.getClass().name}.${context.getHandler().name}`;
  const { kind, subject, attributes } = describe(context);
  return {
    context: kind,
    title: subject ?? name,
    attributes: { ...attributes, 'code.function.name': name },
    shared: { 'request.id': randomUUID() },
  };
}

interface Description {
  readonly kind: string;
  readonly subject: string | undefined;
  readonly attributes: Attributes;
}

function describe(context: ExecutionContext): Description {
  const type: string = context.getType();
  if (type === 'rpc') return describeRpc(context);
  if (type === 'ws') {
    const event = textOf(Reflect.getMetadata(WS_MESSAGE, context.getHandler()));
    return { kind: 'WS', subject: event, attributes: { 'websocket.event': event } };
  }
  if (type === 'graphql') return describeGraphql(context);
  return { kind: type, subject: undefined, attributes: {} };
}

function describeRpc(context: ExecutionContext): Description {
  const patterns: unknown = Reflect.getMetadata(PATTERN, context.getHandler());
  const pattern = textOf(Array.isArray(patterns) ? patterns[0] : patterns);
  const transport = context.switchToRpc().getContext<object | undefined>()?.constructor?.name ?? '';
  const broker = BROKERS[transport];
  const attributes: Attributes =
    broker === undefined
      ? { 'rpc.system.name': CALLS[transport] ?? 'nestjs', 'rpc.method': pattern }
      : {
          'messaging.system': broker,
          'messaging.operation.type': 'process',
          'messaging.destination.name': pattern,
        };
  return { kind: 'RPC', subject: pattern, attributes };
}

interface GraphqlInfo {
  readonly fieldName?: string;
  readonly operation?: { readonly operation?: string; readonly name?: { readonly value?: string } };
}

function describeGraphql(context: ExecutionContext): Description {
  const { fieldName, operation } = context.getArgByIndex<GraphqlInfo | undefined>(3) ?? {};
  const type = operation?.operation;
  return {
    kind: 'GraphQL',
    subject: fieldName === undefined ? undefined : `${type ?? ''} ${fieldName}`.trim(),
    attributes: { 'graphql.operation.type': type, 'graphql.operation.name': operation?.name?.value },
  };
}

function textOf(pattern: unknown): string | undefined {
  if (pattern === undefined) return undefined;
  return typeof pattern === 'string' ? pattern : JSON.stringify(pattern);
}

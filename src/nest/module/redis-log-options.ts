import type { ConfigurableModuleAsyncOptions } from '@nestjs/common';
import type { RedisLoggerOptions, RedisLogWriterOptions } from '../../options/types.js';
import type { RedisLogRecordExporter } from '../../otel/exporter.js';

/** Options of `RedisLogModule`. All are optional; an unknown one is an error. */
export interface RedisLogModuleOptions extends RedisLogWriterOptions, RedisLoggerOptions {
  /** An exporter made before Nest, for an OpenTelemetry SDK: logger and SDK then share one connection and account. */
  readonly exporter?: RedisLogRecordExporter;
  /** Default `true`: the logger can be injected anywhere, and its shutdown comes after that of other modules. */
  readonly isGlobal?: boolean;
}

/** A class for `forRootAsync({ useClass })` or `useExisting`. */
export interface RedisLogOptionsFactory {
  createRedisLogOptions(): RedisLogModuleOptions | Promise<RedisLogModuleOptions>;
}

/** `{ imports, inject, useFactory | useClass | useExisting, isGlobal }` */
export type RedisLogModuleAsyncOptions = Pick<
  ConfigurableModuleAsyncOptions<RedisLogModuleOptions, 'createRedisLogOptions'>,
  'imports' | 'inject' | 'useFactory' | 'useClass' | 'useExisting'
> & { readonly isGlobal?: boolean };

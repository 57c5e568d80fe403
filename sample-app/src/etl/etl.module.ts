import { Module } from '@nestjs/common';
import { RedisLogModule } from 'nestjs-redis-log';
import { ErrorEtl } from './error-etl.js';
import { ErrorStore } from './error-store.js';

@Module({
  imports: [
    // The worker's own log, in a stream of its own: it does not go into the stream that it reads.
    RedisLogModule.forRoot({
      service: { name: 'shop-etl', version: '1.0.0' },
      stream: process.env['ETL_LOG_STREAM'] || 'logs:shop-etl',
    }),
  ],
  providers: [
    { provide: ErrorStore, useFactory: () => new ErrorStore(process.env['ETL_STORE'] || 'errors.db') },
    ErrorEtl,
  ],
})
export class EtlModule {}

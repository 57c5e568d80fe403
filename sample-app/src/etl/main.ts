import { NestFactory } from '@nestjs/core';
import { RedisLogger } from 'nestjs-redis-log';
import { EtlModule } from './etl.module.js';

// A worker without HTTP: as many of them as it takes may run, and share the records of the stream.
const app = await NestFactory.createApplicationContext(EtlModule, { logger: RedisLogger.early() });
app.useLogger(app.get(RedisLogger));
app.enableShutdownHooks();
// Where another process has started it (the demo does), it ends with that, however that ends.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));

import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ScheduleModule } from '@nestjs/schedule';
import { RedisLogModule } from 'nestjs-redis-log';
import { HttpExceptionFilter } from './common/http-exception.filter.js';
import { OrdersModule } from './orders/orders.module.js';
import { PaymentsModule } from './payments/payments.module.js';
import { StockModule } from './stock/stock.module.js';
import { UsersModule } from './users/users.module.js';

@Module({
  imports: [
    // First, so that what the other modules log while they shut down still arrives. Where Redis is and what
    // the stream is called come from the environment: REDIS_LOG_URL, REDIS_LOG_STREAM. `http` makes one record
    // per request, and puts the request's id on every record that is written while it is served.
    RedisLogModule.forRoot({ service: { name: 'shop', version: '1.0.0' }, http: true }),
    ScheduleModule.forRoot(),
    UsersModule,
    OrdersModule,
    PaymentsModule,
    StockModule,
  ],
  providers: [{ provide: APP_FILTER, useClass: HttpExceptionFilter }],
})
export class AppModule {}

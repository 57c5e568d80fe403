import { Module } from '@nestjs/common';
import { OrdersModule } from '../orders/orders.module.js';
import { BankClient } from './bank.client.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsService } from './payments.service.js';

@Module({
  imports: [OrdersModule],
  controllers: [PaymentsController],
  providers: [PaymentsService, BankClient],
})
export class PaymentsModule {}

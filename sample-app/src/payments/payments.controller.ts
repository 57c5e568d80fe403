import { Body, Controller, Post } from '@nestjs/common';
import { CreatePaymentDto } from './dto/create-payment.dto.js';
import type { Payment } from './payment.js';
import { PaymentsService } from './payments.service.js';

@Controller('payments')
export class PaymentsController {
  readonly #payments: PaymentsService;

  constructor(payments: PaymentsService) {
    this.#payments = payments;
  }

  @Post()
  pay(@Body() payment: CreatePaymentDto): Promise<Payment> {
    return this.#payments.pay(payment);
  }
}

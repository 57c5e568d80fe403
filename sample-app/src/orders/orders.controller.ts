import { Body, Controller, Get, Param, ParseIntPipe, Post } from '@nestjs/common';
import { CreateOrderDto } from './dto/create-order.dto.js';
import type { Order, SalesReport } from './order.js';
import { OrdersService } from './orders.service.js';

@Controller('orders')
export class OrdersController {
  readonly #orders: OrdersService;

  constructor(orders: OrdersService) {
    this.#orders = orders;
  }

  @Post()
  place(@Body() order: CreateOrderDto): Order {
    return this.#orders.place(order);
  }

  @Get('report')
  report(): Promise<SalesReport> {
    return this.#orders.report();
  }

  @Get(':id')
  find(@Param('id', ParseIntPipe) id: number): Order {
    return this.#orders.find(id);
  }
}

import { IsIn, IsInt, IsPositive } from 'class-validator';

const CARDS = ['visa', 'mastercard', 'expired'] as const;

export type Card = (typeof CARDS)[number];

export class CreatePaymentDto {
  @IsInt()
  @IsPositive()
  readonly orderId!: number;

  @IsIn(CARDS)
  readonly card!: Card;
}

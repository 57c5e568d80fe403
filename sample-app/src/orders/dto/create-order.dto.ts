import { IsInt, IsNotEmpty, IsPositive, IsString, Max } from 'class-validator';

export class CreateOrderDto {
  @IsInt()
  @IsPositive()
  readonly userId!: number;

  @IsString()
  @IsNotEmpty()
  readonly sku!: string;

  @IsInt()
  @IsPositive()
  @Max(10)
  readonly quantity!: number;
}

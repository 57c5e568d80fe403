export interface Address {
  readonly street: string;
  readonly city: string;
}

export interface User {
  readonly id: number;
  readonly name: string;
  readonly address: Address;
}

import { Controller, Get, Param, ParseIntPipe } from '@nestjs/common';
import type { User } from './user.js';
import { UsersService } from './users.service.js';

@Controller('users')
export class UsersController {
  readonly #users: UsersService;

  constructor(users: UsersService) {
    this.#users = users;
  }

  @Get(':id')
  find(@Param('id', ParseIntPipe) id: number): User {
    return this.#users.find(id);
  }

  @Get(':id/label')
  label(@Param('id', ParseIntPipe) id: number): { readonly label: string } {
    return { label: this.#users.label(id) };
  }
}

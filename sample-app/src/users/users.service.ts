import { Injectable, Logger, NotFoundException } from '@nestjs/common';
import type { User } from './user.js';

/**
 * What came out of the old shop's database. User 7 never gave an address, which nobody remembers: reading it
 * is the bug that the shop's logs are to show, with its stack and its trace.
 */
const IMPORTED = `[
  { "id": 1, "name": "Ada Byron", "address": { "street": "12 St James Square", "city": "London" } },
  { "id": 2, "name": "Zoë Müller", "address": { "street": "Lindenweg 4", "city": "Köln" } },
  { "id": 3, "name": "田中 さくら", "address": { "street": "1-2-3 Sakura", "city": "京都" } },
  { "id": 7, "name": "Nemo" }
]`;

@Injectable()
export class UsersService {
  readonly #logger = new Logger(UsersService.name);
  readonly #users = new Map((JSON.parse(IMPORTED) as User[]).map((user) => [user.id, user]));

  find(id: number): User {
    const user = this.#users.get(id);
    if (user === undefined) throw new NotFoundException(`There is no user ${id}.`);
    this.#logger.log('User found', { userId: id });
    return user;
  }

  /** The address as it is printed on a parcel. */
  label(id: number): string {
    const { name, address } = this.find(id);
    return `${name}\n${address.street}\n${address.city}`;
  }
}

import {
  BadRequestException,
  Controller,
  Get,
  Header,
  Inject,
  NotFoundException,
  Query,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { isRedisLogError } from '../../errors.js';
import { ScaleAdvisor } from '../../monitor/scaling/scale-advisor.js';
import type { ScaleAdvice } from '../../monitor/scaling/types.js';
import type { ScaleRouteOptions } from './monitor-options.js';

/** The advice as a route of the application: `GET <path>?group=etl&stream=logs:shop`. */
export function scaleController({ path = 'redis-log/scale', guards = [] }: ScaleRouteOptions): Type<object> {
  @Controller(path)
  @UseGuards(...guards)
  class RedisLogScaleController {
    readonly #advisor: ScaleAdvisor;

    constructor(@Inject(ScaleAdvisor) advisor: ScaleAdvisor) {
      this.#advisor = advisor;
    }

    @Get()
    @Header('cache-control', 'no-store')
    advice(@Query('group') group: unknown, @Query('stream') stream: unknown): ScaleAdvice {
      if (typeof group !== 'string' || group === '')
        throw new BadRequestException('Name the group: ?group=etl');
      try {
        return this.#advisor.adviceFor(group, typeof stream === 'string' ? stream : undefined);
      } catch (error) {
        if (isRedisLogError(error)) throw new NotFoundException(error.message);
        throw error;
      }
    }
  }
  return RedisLogScaleController;
}

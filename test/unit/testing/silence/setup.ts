import 'reflect-metadata';
import { silenceLogs } from 'nestjs-redis-log/testing';
import { beforeEach } from 'vitest';

beforeEach(silenceLogs());

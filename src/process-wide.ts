/** What there is one of in a process, also where the package is loaded twice: made by whoever asks first. */
export function processWide<T>(name: string, make: () => T): T {
  const holder = globalThis as { [key: symbol]: T | undefined };
  return (holder[Symbol.for(`nestjs-redis-log.${name}`)] ??= make());
}

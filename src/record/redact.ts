import { types } from 'node:util';
import { RedisLogError } from '../errors.js';
import type { Censor, ResolvedRedact } from '../options/types.js';
import type { Attributes } from './log-record.js';
import { Normalizer } from './normalize.js';
import { ignoreRejection } from './normalize-shape.js';
import { follow, MATCH, NOWHERE, RedactRules, type Places } from './redact-rules.js';
import { censorNamed } from './named-secrets.js';
import { censorUnnamed } from './unnamed-secrets.js';
import { stripUserinfo } from './url.js';

/** Stands where the censor failed: the secret itself is never let through. */
const FAILED = '[Redaction failed]';

/** Stands for what is hidden within a text when the censor is a function. */
const TEXT_MARK = '[Redacted]';

/** Nothing that is looked for in a text stands without one of these: a name and its value, a URL, `Bearer`. */
const SUSPECT = /[:=B]/;

/**
 * What `RedisLogger` censors unless told otherwise: the usual names of credentials, alone or as the end of a longer name
 * (`dbPassword`, `DB_PASSWORD`, `x-auth-token`), at any depth and whatever their case; what follows such a name in a text;
 * and the user information of URLs. The syntax is that of `parseRedactPath`; docs/redaction.md has the list.
 */
export const SAFE_REDACT_PATHS: readonly string[] = [
  '**.*authorization',
  '**.*cookie',
  '**.*password',
  '**.*passwd',
  '**.*pwd',
  '**.*passphrase',
  '**.*token',
  '**.*jwt',
  '**.*secret',
  '**.*api_key',
  '**.*secret_key',
  '**.*private_key',
  '**.*access_key',
  '**.*connectionString',
  '**.rawHeaders',
  '**://',
  '**=',
];

/** Takes secrets out of records. */
export interface Redactor {
  /**
   * Censors in place. The attributes must be normalised, and ours to change. Never throws; an attribute in
   * which redaction fails is replaced as a whole.
   */
  redact(attributes: Attributes): void;
  /**
   * A message or a stack without the user information of the URLs in it, and without what follows a secret name. Changes
   * nothing unless `**://` and `**=` are among the paths, as they are in {@link SAFE_REDACT_PATHS}. Linear in the text; never throws.
   */
  text(text: string): string;
}

/**
 * Compiles paths once, at start. Paths are configuration: they must not come from a user's input.
 *
 * @throws RedisLogError REDIS_LOG_INVALID_OPTIONS for a path or a censor that cannot be used.
 */
export function compileRedactor(options: ResolvedRedact): Redactor {
  const { censor, paths } = options;
  if (typeof censor !== 'string' && typeof censor !== 'function') {
    throw new RedisLogError('REDIS_LOG_INVALID_OPTIONS', 'redact.censor must be a text or a function.', {
      subject: 'redact.censor',
    });
  }
  return new TreeRedactor(new RedactRules(paths), censor);
}

/** How a container was reached: what a censor function is told. */
interface Trail {
  readonly parent: Trail | undefined;
  readonly key: string;
}

/** Where the walk is. */
interface Visit {
  /** The paths that may still match inside. */
  readonly places: Places;
  /** `undefined` at the attributes themselves. */
  readonly trail: Trail | undefined;
  /** True for an item of a list: a pair there may be the entry of a Map or of a list of headers. */
  readonly inList: boolean;
}

class TreeRedactor implements Redactor {
  readonly #rules: RedactRules;
  readonly #censor: Censor;
  readonly #textMark: string;
  readonly #start: Visit;
  /** Takes what a censor function returns: it may be anything. */
  readonly #normalizer = new Normalizer();

  constructor(rules: RedactRules, censor: Censor) {
    this.#rules = rules;
    this.#censor = censor;
    this.#textMark = typeof censor === 'string' ? censor : TEXT_MARK;
    this.#start = { places: rules.start, trail: undefined, inList: false };
  }

  redact(attributes: Attributes): void {
    if (this.#rules.start === NOWHERE && !this.#rules.isDeep) return;
    for (const key in attributes) {
      try {
        this.#entry(attributes, key, this.#start);
      } catch {
        // Among others a tree that goes round in circles, which no normalised one does, and ends the stack.
        attributes[key] = FAILED;
      }
    }
  }

  text(text: string): string {
    const rules = this.#rules;
    if (!SUSPECT.test(text)) return text;
    const mark = this.#textMark;
    const withoutUsers = rules.urls ? stripUserinfo(text, mark) : text;
    return rules.texts ? censorUnnamed(censorNamed(withoutUsers, rules, mark), mark) : withoutUsers;
  }

  #entry(container: Attributes, key: string, visit: Visit): void {
    const value = container[key];
    const places = visit.places === NOWHERE ? NOWHERE : follow(visit.places, key);
    if (places === MATCH || (this.#rules.isSecret(key) && mayBeSecret(value))) {
      const censored = this.#censored(value, pathTo(key, visit.trail));
      if (censored === undefined) delete container[key];
      else container[key] = censored;
    } else if (typeof value === 'string') {
      const clean = this.text(value);
      if (clean !== value) container[key] = clean;
    } else if (typeof value === 'object' && value !== null) {
      this.#inside(value, { places, trail: { parent: visit.trail, key }, inList: false });
    }
  }

  #inside(container: object, visit: Visit): void {
    if (visit.places === NOWHERE && !this.#rules.isDeep) return;
    if (Array.isArray(container)) this.#list(container, visit);
    else if (!ArrayBuffer.isView(container)) {
      for (const key in container) this.#entry(container as Attributes, key, visit);
    }
  }

  #list(list: unknown[], visit: Visit): void {
    const [name, value] = list;
    const isPair = visit.inList && list.length === 2 && typeof name === 'string';
    if (isPair && this.#rules.isSecret(name) && mayBeSecret(value)) {
      list[1] = this.#censored(value, pathTo('1', visit.trail)) ?? null;
      return;
    }
    for (let index = 0; index < list.length; index++) this.#item(list, index, visit);
  }

  #item(list: unknown[], index: number, visit: Visit): void {
    const value = list[index];
    const key = String(index);
    const places = visit.places === NOWHERE ? NOWHERE : follow(visit.places, key);
    if (places === MATCH) list[index] = this.#censored(value, pathTo(key, visit.trail)) ?? null;
    else if (typeof value === 'string') list[index] = this.text(value);
    else if (typeof value === 'object' && value !== null) {
      this.#inside(value, { places, trail: { parent: visit.trail, key }, inList: true });
    }
  }

  #censored(value: unknown, path: readonly string[]): unknown {
    if (typeof this.#censor === 'string') return this.#censor;
    try {
      const censored = this.#censor(value, path);
      ignoreRejection(censored);
      // A censor answers at once: the record is encoded before a promise could be kept.
      if (types.isPromise(censored)) return FAILED;
      this.#normalizer.begin();
      return this.#normalizer.value(censored);
    } catch {
      return FAILED;
    }
  }
}

/** What is known by its name alone: `hasPassword: true` tells of one, and `token: null` of none. */
function mayBeSecret(value: unknown): boolean {
  return value !== null && typeof value !== 'boolean';
}

function pathTo(key: string, trail: Trail | undefined): string[] {
  const path = [key];
  for (let step = trail; step !== undefined; step = step.parent) path.push(step.key);
  return path.reverse();
}

import { codeAt } from './code-at.js';
import { foldName, parseRedactPath, type PathStep } from './redact-path.js';

/** A place that a path has reached. All paths are merged into one tree, walked along with the attributes. */
interface PathNode {
  readonly byName: Map<string, PathNode>;
  any: PathNode | undefined;
  isEnd: boolean;
}

/** Where the paths stand that may still match: several at once, because of `*`. */
export type Places = readonly PathNode[];

/** No path can match any more. */
export const NOWHERE: Places = [];
/** A path ends here: the value is to be censored. */
export const MATCH: Places = [];

/** `-` and `_`, which are not looked at in names. */
const REMOVED = [0x2d, 0x5f];

/** How many key names the verdicts are kept of. Beyond that all are forgotten: ids used as keys must not pile up. */
const MAX_VERDICTS = 4_096;

/** The compiled paths: which values are to be censored. */
export class RedactRules {
  /** Where the paths stand before the first step. */
  readonly start: Places;
  /** True when the user information of URLs is to be censored. */
  readonly urls: boolean;
  /** True when what follows a secret name in a text is to be censored. */
  readonly texts: boolean;
  readonly #names = new Set<string>();
  /** What names end with. */
  readonly #endings: string[] = [];
  #hasNames = false;
  readonly #verdicts = new Map<string, boolean>();
  /** 1 where a name ends with two characters that have these last five bits, whatever their case. */
  readonly #lastLetters = new Uint8Array(32 * 32);

  /** @throws RedisLogError REDIS_LOG_INVALID_OPTIONS for a path that follows no known syntax. */
  constructor(paths: readonly string[]) {
    const root = newNode();
    let urls = false;
    let texts = false;
    for (const path of paths) {
      const rule = parseRedactPath(path);
      if (rule.kind === 'urls') urls = true;
      else if (rule.kind === 'texts') texts = true;
      else if (rule.kind === 'anywhere') this.#addName(foldName(rule.name));
      else if (rule.kind === 'ending') this.#addEnding(foldName(rule.name));
      else addPath(root, rule.steps);
    }
    this.urls = urls;
    this.texts = texts;
    this.start = root.byName.size > 0 || root.any !== undefined ? [root] : NOWHERE;
  }

  /** True when something can be censored at any depth, so that every container is to be looked into. */
  get isDeep(): boolean {
    return this.urls || this.#hasNames;
  }

  /** True when a `**` rule names this key. */
  isSecret(key: string): boolean {
    const end = key.length;
    return (
      this.#hasNames &&
      this.mayEndWith(codeAt(key, end - 1), codeAt(key, end - 2)) &&
      (this.#verdicts.get(key) ?? this.#judge(key))
    );
  }

  mayEndWith(last: number, before: number): boolean {
    return this.#lastLetters[endingOf(last, before)] === 1;
  }

  #addName(name: string): void {
    this.#names.add(name);
    this.#noteForms(name);
  }

  #addEnding(ending: string): void {
    this.#endings.push(ending);
    this.#noteForms(ending);
  }

  /** Beyond ASCII a letter and its capital differ in more than one bit. */
  #noteForms(name: string): void {
    for (const form of [name, name.toUpperCase()]) this.#noteLetters(form);
  }

  #noteLetters(name: string): void {
    this.#hasNames = true;
    const last = name.charCodeAt(name.length - 1);
    // Names are folded: before the last letter, and after it, there may be what folding removes.
    const befores = name.length === 1 ? Array.from({ length: 32 }, (_, bits) => bits) : REMOVED;
    for (const before of [...befores, name.charCodeAt(name.length - 2)])
      this.#lastLetters[endingOf(last, before)] = 1;
    for (const after of REMOVED)
      for (const before of [last, ...REMOVED]) this.#lastLetters[endingOf(after, before)] = 1;
  }

  #judge(key: string): boolean {
    const name = foldName(key);
    const last = name.slice(name.lastIndexOf('.') + 1);
    const isNamed = this.#names.has(name) || this.#names.has(last);
    const verdict = isNamed || this.#endings.some((ending) => last.endsWith(ending));
    if (this.#verdicts.size >= MAX_VERDICTS) this.#verdicts.clear();
    this.#verdicts.set(key, verdict);
    return verdict;
  }
}

/** Follows the paths one step further. */
export function follow(places: Places, key: string): Places {
  let next: PathNode[] | undefined;
  for (const place of places) {
    const named = place.byName.get(key);
    if (named?.isEnd === true || place.any?.isEnd === true) return MATCH;
    if (named !== undefined) (next ??= []).push(named);
    if (place.any !== undefined) (next ??= []).push(place.any);
  }
  return next ?? NOWHERE;
}

function endingOf(last: number, before: number): number {
  return ((before & 31) << 5) | (last & 31);
}

function newNode(): PathNode {
  return { byName: new Map(), any: undefined, isEnd: false };
}

function addPath(root: PathNode, steps: readonly PathStep[]): void {
  let node = root;
  for (const name of steps) node = name === undefined ? (node.any ??= newNode()) : child(node, name);
  node.isEnd = true;
  // Attribute names have dots in OpenTelemetry: `user.email` also means the attribute of that name.
  if (steps.length > 1 && !steps.includes(undefined)) child(root, steps.join('.')).isEnd = true;
}

function child(node: PathNode, name: string): PathNode {
  let found = node.byName.get(name);
  if (found === undefined) {
    found = newNode();
    node.byName.set(name, found);
  }
  return found;
}

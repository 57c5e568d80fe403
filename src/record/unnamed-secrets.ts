const BEARER = 'Bearer ';

/** What follows it in prose, and in a WWW-Authenticate header. */
const PROSE =
  /^(?:(?:error|realm|scope)=|(?:access|and|auth(?:entication|enticated|enticate|orization|orized|orize)?|challenge|credentials?|error|for|format|from|has|headers?|in|is|key|missing|must|not|of|or|prefix|realm|required|scheme|scope|should|tokens?|type|was|with)(?![\w~+/=-]|\.\w))/i;

const CREDENTIAL = /^[\w.~+/-]+=*/;

/** `-u user:password`, as curl has it; `-u 1000:1000` is that of Docker. */
const USER_OPTION = /((?:^|[\s'"])(?:-u|--user)[ =]['"]?(?!\d+:\d+\b)[^\s:'"]{1,128}:)[^\s'"]+/g;

/** Replaces the credentials of `Bearer <credentials>` in a text; free where it has none. */
function censorBearer(text: string, mark: string): string {
  let at = text.indexOf(BEARER);
  if (at === -1) return text;
  let result = '';
  let copied = 0;
  for (; at !== -1; at = text.indexOf(BEARER, at + BEARER.length)) {
    const start = at + BEARER.length;
    const length = isWordStart(text, at) ? lengthOfCredential(text, start) : 0;
    if (length === 0) continue;
    result += text.slice(copied, start) + mark;
    copied = start + length;
  }
  return result + text.slice(copied);
}

/** Replaces credentials that are known by what stands before them, which is no name. Linear in the text. */
export function censorUnnamed(text: string, mark: string): string {
  const withoutBearer = censorBearer(text, mark);
  if (!withoutBearer.includes('-u')) return withoutBearer;
  return withoutBearer.replace(USER_OPTION, (_, before: string) => before + mark);
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || !/\w/.test(text.charAt(at - 1));
}

function lengthOfCredential(text: string, start: number): number {
  // In pieces, since there may be many of them in one text.
  const next = text.slice(start, start + 32);
  if (PROSE.test(next)) return 0;
  let end = start;
  for (;;) {
    const length = CREDENTIAL.exec(text.slice(end, end + 256))?.[0].length ?? 0;
    end += length;
    if (length < 256) return end - start;
  }
}

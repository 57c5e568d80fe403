import { codeAt } from './code-at.js';

const ID = '<id>';
/** Letters and digits, and what joins them to one id. */
const TOKEN = /[A-Za-z\d]+(?:[-_+]+[A-Za-z\d]+)*/g;
const JOINERS = /([-_+]+)/;
/** Ids that stand together, with what they begin or end with. */
const ID_CHAIN = /(?:^|(?<=\.))[-_]?<id>(?:[-_+.]+<id>)*[-_]?$|<id>(?:[-_+.]+<id>)+/g;
const POINTER = /^0x[\da-f]+$/i;
const DURATION = /^(?:\d+(?:[dhmsw]|ms|us|ns))+$/;
/** Of one case, or with a capital letter in front. */
const ONE_CASE = /^(?:[A-Za-z][a-z]*|[A-Z]+)$/;
const DIGIT = /\d/;
const VOWEL = /[aeiouy]/i;
/** The random parts of names that Kubernetes makes up. */
const VOWELLESS = /^[^aeiouy]{8,}$/;
const LOWER = /^[a-z]{2,}$/;
const HEX = /^(?:0x)?[\da-f]+$/i;
const DIGIT_AND_LETTER = /\d[A-Za-z]|[A-Za-z]\d/;
const MANY_LETTERS = /[A-Za-z]{10,}/g;

/** A commit's short hash; below that, and below the others, there are too many words that look alike. */
const MIN_HEX_LENGTH = 7;
const MIN_MIXED_LENGTH = 8;
const MIN_LETTERS_LENGTH = 10;
const MIN_UPPERS = 3;
const MIN_ODD = 3;

/** The letters that often follow a, b, c and so on, in words of English and names of programs. */
const FOLLOWERS = Uint32Array.from(
  (
    'abcdefghijklmnprstuvwxyz abcdeijlmnoprstuy acdehiklmoprstuy abcdefghijlmnorstuvy abcdefghijklmnopqrstuvwxy ' +
    'adefilorstuy aceghilmnoprstuy aeilmnorstuy abcdefgklmnoprstuvxz aeiosu adefgilnopstuy abcdefgiklmnopstuvy ' +
    'abcdeiklmnoprsuy abcdefghijklmnoprstuvwyz abcdefghijklmnoprstuvwxy acdeghiklmoprstuy lu abcdefgiklmnoprstuvwy ' +
    'abcdefhiklmnopqrstuwy abcdefghijlmnoprstuwy abcdefgiklmnoprstxz aeios aehilnors aceimpt abcefilmnopst aeioz'
  ).split(' '),
  (letters) => letters.split('').reduce((mask, letter) => mask | (1 << (letter.charCodeAt(0) - 97)), 0),
);
const UPPER_A = 65;
const LOWER_A = 97;
/** Makes a letter of ASCII a small one. */
const SMALL = 32;

/** Whether a word without digits can hold an id: no other word needs to be looked at. */
export function mayBeId(length: number, uppers: number): boolean {
  return length >= MIN_LETTERS_LENGTH && uppers >= MIN_UPPERS;
}

/** Ids in a word become `<id>`, with all that is joined to them by `-`, `_` and `+`, unless that is a word itself. */
export function maskIds(word: string): string {
  const masked = word.replace(TOKEN, maskToken);
  return masked === word ? word : masked.replace(ID_CHAIN, ID);
}

function maskToken(token: string, place: number, word: string): string {
  if (token.length < MIN_HEX_LENGTH) return POINTER.test(token) ? ID : token;
  // Every other one is a joiner.
  const parts = token.split(JOINERS);
  if (parts.length === 1) return isId(token) ? ID : token;
  const runs = parts.filter((_, at) => at % 2 === 0);
  const hasDigit = DIGIT.test(token);
  const isFront = word.charAt(place - 1) !== '.';
  if (runs.some((run) => isId(run) || (hasDigit && VOWELLESS.test(run)))) {
    const isKept = (part: string, at: number): boolean => at % 2 === 1 || isWord(part, isFront && at === 0);
    return parts.map((part, at) => (isKept(part, at) ? part : ID)).join('');
  }
  const whole = runs.join('');
  const isOne =
    !runs.some((run, at) => isWord(run, isFront && at === 0)) &&
    (isId(whole) || (token.length >= MIN_LETTERS_LENGTH && isRandom(whole)));
  return isOne ? ID : token;
}

/** Beside ids: `usr` in `usr_Xk1LmQz2f9`, and not `XZM` in `XZM-NsjO4gsPBKv_7g4`. What stands in front mostly is one. */
function isWord(part: string, isFirst: boolean): boolean {
  if (isFirst && LOWER.test(part)) return true;
  const isLong = part.length >= (isFirst ? 3 : 4);
  return isLong && ONE_CASE.test(part) && VOWEL.test(part) && oddPairs(part) * 4 <= part.length;
}

/**
 * Whether letters and digits are mixed as they are in no word: hexadecimal, or, for their length, with many places where
 * two characters stand side by side that do not in words.
 */
function isId(run: string): boolean {
  if (run.length < MIN_HEX_LENGTH) return POINTER.test(run);
  if (run.length >= MIN_LETTERS_LENGTH && (run.match(MANY_LETTERS) ?? []).some(isRandom)) return true;
  if (!DIGIT_AND_LETTER.test(run)) return false;
  if (HEX.test(run)) return true;
  if (run.length < MIN_MIXED_LENGTH) return false;
  const odd = oddPairs(run);
  return odd >= MIN_ODD && odd * 4 >= run.length && !DURATION.test(run);
}

/** Names of classes and functions have capital letters in the middle, too, but not such pairs. */
function isRandom(letters: string): boolean {
  if (letters.length < MIN_MIXED_LENGTH) return false;
  let uppers = 0;
  for (let at = 0; at < letters.length; at++) if (codeAt(letters, at) < LOWER_A) uppers++;
  if (uppers < MIN_UPPERS) return false;
  const odd = oddPairs(letters);
  return odd >= MIN_ODD && odd * 10 >= letters.length * 3;
}

/** Neighbours that words hardly ever have: `q8`, `zx`, and a capital letter after a small one. Of letters and digits. */
function oddPairs(run: string): number {
  let odd = 0;
  let before = codeAt(run, 0);
  for (let at = 1; at < run.length; at++) {
    const code = codeAt(run, at);
    if (isOdd(before, code)) odd++;
    before = code;
  }
  return odd;
}

function isOdd(before: number, code: number): boolean {
  const isDigit = code < UPPER_A;
  if (isDigit || before < UPPER_A) return isDigit !== before < UPPER_A;
  if (before >= LOWER_A && code < LOWER_A) return true;
  const followers = FOLLOWERS[(before | SMALL) - LOWER_A] ?? 0;
  return (followers & (1 << ((code | SMALL) - LOWER_A))) === 0;
}

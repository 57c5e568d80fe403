/** What the options already name and this version cannot do yet. Whoever adds a feature deletes its line. */
export interface NotYet {
  readonly option: string;
  readonly asksForIt: (value: unknown) => boolean;
  readonly instead: string;
}

export const NOT_YET: readonly NotYet[] = [
  { option: 'http', asksForIt: (value) => value === true, instead: 'Leave it out or set it to false' },
];

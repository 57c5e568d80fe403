/** Something the user can put right: the message says what, and a stack would only bury it. */
export class DemoProblem extends Error {
  override readonly name = 'DemoProblem';
}

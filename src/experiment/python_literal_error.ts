/**
 * The error for text that is no Python literal.
 *
 * @module
 */

/** Text is no Python literal; `offset` says where. The message is a part of a sentence. */
export class PythonLiteralError extends SyntaxError {
  override name = "PythonLiteralError";

  /** @param offset Where in the text, in UTF-16 units from 0. */
  constructor(problem: string, readonly offset: number) {
    super(problem);
  }
}

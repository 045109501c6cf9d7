/**
 * Makes a kernel's text ready for one ensemble: puts in the constants and
 * unrolls the marked blocks. Compilers of software adapters don't unroll, and
 * register tiles need every accumulator to be a variable of its own.
 *
 * A block is written once, between two comments, so that the file is a valid
 * kernel as it stands:
 *
 * ```wgsl
 * const ROWS = 1u;
 * const ROW = 0u;
 * // for ROW in ROWS
 * var sum_ROW = vec4f(0.0);
 * // end
 * ```
 *
 * @module
 */

/** Values of a kernel's UPPER_CASE constants, whole numbers. */
export type ShaderConstants = Readonly<Record<string, number>>;

const CONSTANT = /^const ([A-Z][A-Z0-9_]*) = (\d+)u;/;
const BLOCK = /^\s*\/\/ for ([A-Z]+) in ([A-Z_]+)$/;
const END = /^\s*\/\/ end$/;

/**
 * Puts constants in and unrolls the blocks between `// for ITEM in COUNT` and
 * `// end`; blocks may be nested. Within a block `ITEM` becomes 0, 1, … also as
 * a part of a name, as in `sum_ITEM`.
 *
 * @throws {RangeError} If a constant is no whole number from 0 to 2³² − 1, or no `const` of the text has its name.
 * @throws {SyntaxError} If a block has no end, an end no block, or a count is no constant of the text.
 *
 * @example
 * ```ts
 * import { expandShader } from "./src/gpu/expand_shader.ts";
 *
 * expandShader("const ROWS = 1u;\n// for ROW in ROWS\nvar sum_ROW = 0.0;\n// end", {
 *   ROWS: 2,
 * }); // "const ROWS = 2u;\nvar sum_0 = 0.0;\nvar sum_1 = 0.0;"
 * ```
 */
export function expandShader(
  source: string,
  constants: ShaderConstants,
): string {
  const values = new Map<string, number>();
  const missing = new Set(Object.keys(constants));
  const lines = source.split("\n").map((line) => {
    const match = CONSTANT.exec(line);
    if (match === null) return line;
    const name = match[1] as string;
    const value = constants[name] ?? Number(match[2]);
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff) {
      throw new RangeError(
        `Cannot expand shader: ${name} must be a whole number from 0 to 2^32 - 1, found ${value}`,
      );
    }
    values.set(name, value);
    missing.delete(name);
    return line.replace(CONSTANT, `const ${name} = ${value}u;`);
  });
  if (missing.size > 0) {
    throw new RangeError(
      `Cannot expand shader: it has no constant ${[...missing].join(", ")}`,
    );
  }
  const { expanded, next } = unroll(lines, 0, values);
  if (next !== lines.length) {
    throw new SyntaxError(
      `Cannot expand shader: line ${next + 1} ends a block that never began`,
    );
  }
  return expanded.join("\n");
}

/** Unrolls from line `start` to the end of the text or the block's own end. */
function unroll(
  lines: readonly string[],
  start: number,
  values: ReadonlyMap<string, number>,
): { expanded: string[]; next: number } {
  const expanded: string[] = [];
  let i = start;
  while (i < lines.length && !END.test(lines[i] as string)) {
    const match = BLOCK.exec(lines[i] as string);
    if (match === null) {
      expanded.push(lines[i++] as string);
      continue;
    }
    const [, item, countName] = match as unknown as [string, string, string];
    const count = values.get(countName);
    if (count === undefined) {
      throw new SyntaxError(
        `Cannot expand shader: ${countName} on line ${i + 1} is no constant`,
      );
    }
    const body = unroll(lines, i + 1, values);
    if (body.next >= lines.length) {
      throw new SyntaxError(
        `Cannot expand shader: the block of line ${i + 1} has no end`,
      );
    }
    const name = new RegExp(`(?<![A-Za-z0-9])${item}(?![A-Za-z0-9])`, "g");
    for (let n = 0; n < count; n++) {
      for (const line of body.expanded) {
        expanded.push(line.replace(name, String(n)));
      }
    }
    i = body.next + 1;
  }
  return { expanded, next: i };
}

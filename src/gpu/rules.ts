/**
 * Nonlinearities and optimizers as functions in WGSL, which shaders call:
 * a branch for each that the models of an ensemble have.
 *
 * @module
 */

import type { Rules } from "../engine/ensemble.ts";
import type { Arithmetic } from "../rnn/arithmetic.ts";
import type { Nonlinearity } from "../rnn/nonlinearities.ts";

/** A number that the host computes for each update. */
type PerUpdate = (update: number) => number;

/** A value: a number, the name of a variable, or a number of the update. */
type Term = number | string | { readonly perUpdate: PerUpdate };

/** Fields of a batch for numbers of the update, as layout.wgsl has them. */
const MOST_NUMBERS = 16;

/**
 * Writes `activated` and `passed_back`, and `updated`; says what the fields
 * `update_0`, `update_1`, … of a batch are.
 *
 * @throws {RangeError} If the optimizers need more numbers for an update than there is room for.
 */
export function ruleTexts({ nonlinearities, optimizers }: Rules): {
  readonly nonlinearities: string;
  readonly optimizers: string;
  readonly perUpdate: readonly PerUpdate[];
} {
  const perUpdate: PerUpdate[] = [];
  const activations = (
    of: (each: Nonlinearity, arithmetic: Arithmetic<Term>) => Term,
  ) =>
    branches(
      "activation",
      nonlinearities.map((each) => {
        const { arithmetic, lines, text } = writeRule("vec4f");
        const value = text(of(each, arithmetic));
        return [...lines, `value = ${value};`];
      }),
    );
  const given = { gradient: "gradient", output: "h" };
  const updates = optimizers.map((each) => {
    const { arithmetic, lines, text } = writeRule("f32", perUpdate);
    const { weight, first, second } = each.update<Term>(arithmetic, {
      weight: "weight",
      gradient: "gradient",
      first: "moments.x",
      second: "moments.y",
      learningRate: "model.learning_rate",
      perUpdate: (perUpdate) => ({ perUpdate }),
    });
    const kept = [first ?? "moments.x", second ?? "moments.y"].map(text);
    const keeps = first !== undefined || second !== undefined;
    return [
      ...lines,
      `after = Updated(${text(weight)}, vec2f(${kept.join(", ")}), ${keeps});`,
    ];
  });
  if (perUpdate.length > MOST_NUMBERS) {
    throw new RangeError(
      `Cannot train with the optimizers ${
        optimizers.map(({ name }) => name).join(", ")
      } at once on a GPU: they need ${perUpdate.length} numbers of each update, and there is room for ${MOST_NUMBERS}`,
    );
  }
  return {
    perUpdate,
    nonlinearities: `
fn activated(x: vec4f, activation: u32) -> vec4f {
  var value = x;
${activations((each, a) => each.value(a, "x"))}
  return value;
}

fn passed_back(gradient: vec4f, h: vec4f, activation: u32) -> vec4f {
  var value = gradient;
${activations((each, a) => each.backward(a, given))}
  return value;
}
`,
    optimizers: `
fn updated(model: Model, weight: f32, gradient: f32, moments: vec2f) -> Updated {
  var after = Updated(weight, moments, false);
${branches("model.optimizer", updates)}
  return after;
}
`,
  };
}

/** A branch for each number; the last also for all others. */
function branches(
  selector: string,
  bodies: readonly (readonly string[])[],
): string {
  const cases = bodies.map((lines, number) => {
    const name = number === bodies.length - 1 ? "default" : `case ${number}u`;
    return `    ${name}: {\n      ${lines.join("\n      ")}\n    }`;
  });
  return `  switch ${selector} {\n${cases.join("\n")}\n  }`;
}

/** WGSL has no word for the others. */
function finite(number: number): number {
  if (Number.isFinite(number)) return number;
  throw new RangeError(
    `Cannot write a rule for a GPU: it has the number ${number}`,
  );
}

/** The arithmetic of a rule, a line and a variable for each value. */
function writeRule(type: "f32" | "vec4f", numbers: PerUpdate[] = []) {
  const lines: string[] = [];
  const keep = (expression: string): Term => {
    const name = `v${lines.length}`;
    lines.push(`let ${name} = ${expression};`);
    return name;
  };
  const text = (term: Term): string => {
    if (typeof term === "string") return term;
    if (typeof term === "number") return `${type}(${finite(term)})`;
    return `batch.update_${numbers.push(term.perUpdate) - 1}`;
  };
  const infix = (operator: string) => (a: Term, b: Term) =>
    keep(`${text(a)} ${operator} ${text(b)}`);
  const call = (name: string) => (a: Term) => keep(`${name}(${text(a)})`);
  const multiply = infix("*");
  const quotient = infix("/");
  const arithmetic: Arithmetic<Term> = {
    add: infix("+"),
    subtract: infix("-"),
    multiply,
    /** To divide by a number of the update is to multiply by its inverse, which the host computes. */
    divide: (a, b) =>
      typeof b === "object"
        ? multiply(a, { perUpdate: (n) => 1 / b.perUpdate(n) })
        : quotient(a, b),
    squareRoot: call("sqrt"),
    absolute: call("abs"),
    tanh: call(type === "f32" ? "tanh" : "precise_tanh"),
    exponential: call(type === "f32" ? "exp" : "precise_exp"),
    ifAtMost: (a, b, { then, otherwise }) =>
      keep(
        `select(${text(otherwise)}, ${text(then)}, ${text(a)} <= ${text(b)})`,
      ),
    blend: (average, fresh, { keep: kept }) =>
      keep(
        `${text(average)} + ${text(1 - kept)} * (${text(fresh)} - ${
          text(average)
        })`,
      ),
  };
  return { arithmetic, lines, text };
}

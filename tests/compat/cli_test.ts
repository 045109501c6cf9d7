import assert from "node:assert/strict";
import {
  createStdReader,
  type FlagNames,
  nodeReader,
  parseFlags,
  type StdCli,
} from "../../src/compat/cli.ts";
import { describe, it } from "../../src/compat/testing.ts";

const NAMES: FlagNames = {
  boolean: ["dark", "overwrite"],
  string: ["save_figs", "seed"],
  list: ["results_folders"],
};

/**
 * Stands for `@std/cli` where JSR can't be reached: its interface, and the
 * habits in which it differs from `node:util`. A boolean flag takes a following
 * "true" or "false", other flags take a following value, an empty value is
 * none, numbers among the rest are turned into numbers.
 */
const standIn: StdCli = {
  parseArgs(args, { boolean, string, collect }) {
    const values: Record<string, unknown> = {};
    const rest: (string | number)[] = [];
    for (const name of boolean) values[name] = false;
    for (const name of collect) values[name] = [];
    for (let i = 0; i < args.length; i++) {
      const argument = args[i] as string;
      const next = args[i + 1];
      const match = /^--(.+?)(?:=(.+))?$/s.exec(argument);
      if (match === null) {
        rest.push(/^\d+$/.test(argument) ? Number(argument) : argument);
        continue;
      }
      const [, name, given] = match as unknown as [string, string, string?];
      if (boolean.includes(name)) {
        const swallowed = next === "true" || next === "false";
        values[name] = swallowed ? args[++i] === "true" : true;
        continue;
      }
      let value = given;
      if (value === undefined && next !== undefined && !next.startsWith("-")) {
        value = args[++i];
      }
      if (collect.includes(name)) {
        (values[name] as unknown[]).push(value ?? "");
      } else {
        values[name] = value ?? (string.includes(name) ? "" : true);
      }
    }
    return { ...values, _: rest };
  },
};

const READERS = [
  ["@std/cli (a stand-in)", { read: createStdReader(standIn) }],
  ["node:util", { read: nodeReader }],
  ["whichever is there", {}],
] as const;

for (const [library, options] of READERS) {
  const parse = (...args: string[]) => parseFlags(args, NAMES, options);

  describe(`parseFlags() with ${library}`, () => {
    it("reads flags with no, one and several values", () => {
      assert.deepEqual(
        parse("--results_folders", "a", "b", "--dark", "--save_figs", "figs"),
        {
          boolean: { dark: true, overwrite: false },
          string: { save_figs: "figs" },
          list: { results_folders: ["a", "b"] },
          positional: [],
        },
      );
    });

    it("reads values after an equals sign, which they may hold too", () => {
      const flags = parse("--save_figs=a=b", "--results_folders=x", "c.ini");
      assert.equal(flags.string.save_figs, "a=b");
      assert.deepEqual(flags.list.results_folders, ["x"]);
      assert.deepEqual(flags.positional, ["c.ini"]);
    });

    it("gives every value of a list that stands twice, the last of others", () => {
      const flags = parse(
        ...["--results_folders", "a", "--seed", "1"],
        ...["--results_folders", "b", "c", "--seed", "2"],
      );
      assert.deepEqual(flags.list.results_folders, ["a", "b", "c"]);
      assert.equal(flags.string.seed, "2");
    });

    it("leaves values as they are written", () => {
      const values = [
        "007",
        "1e3",
        "true",
        "-5",
        "-x/y",
        "a b",
        "a\nb",
        "é",
        "-",
      ];
      for (const value of values) {
        assert.equal(parse("--seed", value).string.seed, value);
        assert.equal(parse(`--seed=${value}`).string.seed, value);
        assert.deepEqual(
          parse("--results_folders", value, value).list.results_folders,
          [value, value],
        );
      }
      assert.equal(parse("--seed=--dark").string.seed, "--dark");
    });

    it("does not take what follows a flag without a value for its value", () => {
      for (const value of ["true", "false", "c.ini", "7"]) {
        const flags = parse("--dark", value);
        assert.equal(flags.boolean.dark, true);
        assert.deepEqual(flags.positional, [value]);
      }
    });

    it("takes a flag with one value to have no more than that", () => {
      assert.deepEqual(parse("--seed", "1", "c.ini").positional, ["c.ini"]);
    });

    it("takes nothing after -- for a flag", () => {
      const flags = parse("--seed", "1", "--", "-1.ini", "--dark", "--", "-x");
      assert.deepEqual(flags.positional, ["-1.ini", "--dark", "--", "-x"]);
      assert.equal(flags.boolean.dark, false);
      assert.deepEqual(
        parse("--results_folders", "a", "--", "b").list.results_folders,
        ["a"],
      );
    });

    it("leaves out what is not given", () => {
      assert.deepEqual(parse(), {
        boolean: { dark: false, overwrite: false },
        string: {},
        list: {},
        positional: [],
      });
    });

    const REFUSED: [args: string[], message: string][] = [
      [["--drak"], "--drak is not a flag of this command"],
      [["--drak=1", "x"], "--drak is not a flag of this command"],
      [["--no-dark"], "--no-dark is not a flag of this command"],
      [["--Dark"], "--Dark is not a flag of this command"],
      [["--__proto__=1"], "--__proto__ is not a flag of this command"],
      [["--constructor", "1"], "--constructor is not a flag of this command"],
      [["--=1"], "-- is not a flag of this command"],
      [["-d"], "-d is not a flag of this command"],
      [["-dark"], "-dark is not a flag of this command"],
      [["-5"], "-5 is not a flag of this command"],
      [["---dark"], "---dark is not a flag of this command"],
      [["--seed"], "--seed needs a value"],
      [["--seed", "--dark"], "--seed needs a value"],
      [["--seed", "--", "1"], "--seed needs a value"],
      [["--seed="], "--seed needs a value"],
      [["--seed", ""], "--seed needs a value"],
      [["--results_folders"], "--results_folders needs a value"],
      [["--results_folders", "a", ""], "--results_folders needs a value"],
      [["--dark=true"], "--dark takes no value"],
      [["--dark="], "--dark takes no value"],
    ];
    for (const [args, message] of REFUSED) {
      it(`refuses ${args.join(" ")}`, () => {
        assert.throws(() => parse(...args), { name: "SyntaxError", message });
      });
    }
  });
}

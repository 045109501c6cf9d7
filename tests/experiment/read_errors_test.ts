import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  type ExperimentOverrides,
  readExperiment,
} from "../../src/experiment/read.ts";
import { InputError } from "../../src/files/input_error.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import { CONFIG, WRONG_CONFIGS } from "./wrong_configs.ts";

function messageOf(text: string, overrides: ExperimentOverrides = {}): string {
  try {
    readExperiment(text, { file: "c.ini", tasks: TASKS, overrides });
  } catch (error) {
    assert(error instanceof InputError, String(error));
    assert(!error.message.includes("\n"));
    return error.message;
  }
  throw new assert.AssertionError({ message: "no error" });
}

describe("readExperiment() with a wrong config", () => {
  for (const [from, to, rest] of WRONG_CONFIGS) {
    const name = to.length > 50 ? `${to.slice(0, 50)}…` : to;
    it(`says in one sentence what is wrong with ${JSON.stringify(name || `no ${from}`)}`, () => {
      assert(CONFIG.includes(from), from);
      assert.equal(
        messageOf(CONFIG.replace(from, to)),
        `Cannot read "c.ini"${rest}`,
      );
    });
  }

  it("names the flag where the command line is wrong", () => {
    const set = (key: string, value: string): ExperimentOverrides => ({
      set: { [key]: value },
    });
    const cases: [ExperimentOverrides, string][] = [
      [{ epochs: "many" }, '--epochs "many": it must be a whole number from 1'],
      [{ epochs: 0 }, '--epochs "0": it must be a whole number from 1'],
      [{ iterations: "2.5" }, '--iterations "2.5": it must be a whole number'],
      [{ seed: -1 }, '--seed "-1": it must be a whole number from 0'],
      [{ seed: NaN }, '--seed "NaN": it must be a whole number from 0'],
      [{ pathToResults: "" }, '--path_to_results "": it must be a path'],
      [
        { pathToResults: "~/results" },
        '--path_to_results "~/results": it must be a path that does not begin with "~"',
      ],
      [{ pathToNetwork: "a\0b" }, '--path_to_network "a b": it must be a path'],
      [
        set("net.random_v", "True"),
        '--set net.random_v: [net] has no key "random_v" (did you mean "random_w"?)',
      ],
      [
        set("nett.random_w", "True"),
        '--set nett.random_w: there is no section "nett" (did you mean "net"?)',
      ],
      [
        set("random_w", "True"),
        '--set "random_w": it must be section.key=value',
      ],
      [
        set("net.random_w", "maybe"),
        '--set net.random_w "maybe": it must be True or False',
      ],
      [
        set("trainvalidate.init", "hee"),
        '--set trainvalidate.init "hee": it must be default, xavier, he, auto or normal (did you mean "he"?)',
      ],
      [
        set("combos_params.lr", "0.1"),
        '--set combos_params.lr: [combosparams] combos_params: "lr" must be a list',
      ],
      [
        set("combos_params.nonlinearity", "[relu]"),
        "--set combos_params.nonlinearity: found the name relu",
      ],
      [
        set("combos_params.pattern_length", "[1]"),
        '--set combos_params.pattern_length: [combosparams] combos_params has the key "pattern_length"',
      ],
      [
        set("paths.images", "x.npy"),
        "--set paths.images: [paths] images is for pic_mem",
      ],
      [
        set("paths.pretrained", "$OLD/x"),
        '--set paths.pretrained "$OLD/x": it must be a path with the value of $OLD',
      ],
      [
        set("net.net_name", "../x"),
        "--set net.net_name: [net] net_name must be the name",
      ],
    ];
    for (const [overrides, start] of cases) {
      const message = messageOf(CONFIG, overrides);
      assert(message.startsWith(`Cannot use ${start}`), message);
    }
  });

  it("refuses a grid too large to list, without listing it", () => {
    const many = Array.from({ length: 9000 }, (_, i) => i + 1).join();
    const text = CONFIG.replace("[2,3]", `[${many}]`)
      .replace("[0.0001]", `[${many}]`);
    assert.match(
      messageOf(text),
      /combos_params must give at most 100000 combinations, found 81000000$/,
    );
  });

  it("refuses a file that is too long to be a config", () => {
    assert.match(
      messageOf(CONFIG + "#".repeat(200_000)),
      /at most 200000 characters/,
    );
  });

  it("shows no control characters and no endless values", () => {
    const message = messageOf(
      CONFIG.replace("= default", `= \x1b[31m\x07${"x".repeat(1000)}`),
    );
    assert.match(message, /found " \[31m x+…"$/);
    assert(message.length < 300);
  });
});

describe("readExperiment() with any text", () => {
  const safely = (text: string) => {
    try {
      readExperiment(text, { file: "c.ini", tasks: TASKS });
    } catch (error) {
      assert(error instanceof InputError, `${String(error)}\n${text}`);
      assert(!error.message.includes("\n"), error.message);
    }
  };

  it("gives an experiment or an InputError for a mutated config", () => {
    const piece = fc.constantFrom(
      ..."[]{}()=:,%\"'#;\\\n\t 0-.é\0",
      "%(seed)s",
      "[DEFAULT]\n",
      "__proto__",
      "constructor = 1\n",
      "1e999",
      "True",
      "None",
      "\n  ",
      "\ud800",
    );
    const mutation = fc.tuple(
      fc.nat({ max: CONFIG.length }),
      fc.nat({ max: 12 }),
      fc.array(piece, { maxLength: 3 }),
    );
    fc.assert(
      fc.property(
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        (mutations) => {
          let text = CONFIG;
          for (const [at, cut, pieces] of mutations) {
            text = text.slice(0, at) + pieces.join("") + text.slice(at + cut);
          }
          safely(text);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("gives an InputError for noise", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), safely),
    );
  });

  it("leaves the prototypes of objects alone", () => {
    safely(CONFIG.replace("[run]", "[__proto__]\npolluted = 1\n[run]"));
    safely(CONFIG.replace("seed = 1", "__proto__ = 1"));
    safely(CONFIG.replace('"n_back"', '"__proto__"'));
    safely(CONFIG.replace('"trial_length"', '"constructor"'));
    safely(CONFIG.replace('"nback_mem"', '"__proto__"'));
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });
});

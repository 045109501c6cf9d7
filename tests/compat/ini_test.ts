import assert from "node:assert/strict";
import { readOtherwise, type StdIni } from "../../src/compat/ini.ts";
import { describe, it } from "../../src/compat/testing.ts";

/** Stands for `@std/ini` where JSR can't be reached: its interface, and that it takes quotes off. */
const library: StdIni = {
  parse(text, { reviver }) {
    const record: Record<string, Record<string, unknown>> = {};
    let section: Record<string, unknown> = {};
    for (const line of text.split("\n")) {
      if (line.startsWith("[")) record[line.slice(1, -1)] = section = {};
      else if (line.includes("=")) {
        const [key = "", ...rest] = line.split("=");
        const value = rest.join("=").trim().replace(/^"(.*)"$/, "$1");
        section[key.trim()] = reviver(key.trim(), value);
      }
    }
    return record;
  },
};

function entries(values: Record<string, string>) {
  return new Map([["net", new Map(Object.entries(values))]]);
}

describe("readOtherwise()", () => {
  it("finds nothing where both readers agree", async () => {
    const text = "[net]\nnet_name = A\nrnn_size = 29\nx = {'a': [1, 2]}\n";
    assert.equal(
      await readOtherwise(text, {
        library,
        entries: entries({ net_name: "A", rnn_size: "29", x: "{'a': [1, 2]}" }),
      }),
      undefined,
    );
  });

  it("names what the other reader takes otherwise, or not at all", async () => {
    const text = '[net]\nnet_name = "A"\n';
    for (const values of [{ net_name: '"A"' }, { rnn_size: "29" }]) {
      assert.equal(
        await readOtherwise(text, { library, entries: entries(values) }),
        `[net] ${Object.keys(values)[0]}`,
      );
    }
    assert.equal(
      await readOtherwise("", { library, entries: entries({ a: "1" }) }),
      "[net] a",
    );
  });
});

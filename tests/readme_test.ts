import assert from "node:assert/strict";
import { describe, it } from "../src/compat/testing.ts";
import { CONFIG_SCHEMA } from "../src/experiment/schema.ts";
import { readExperiment } from "../src/experiment/read_experiment.ts";
import { TASKS } from "../src/tasks/registry.ts";
import { CATALOGUE } from "../src/connectome/catalogue.ts";
import denoConfig from "../deno.json" with { type: "json" };

const README = await Deno.readTextFile(
  new URL("../README.md", import.meta.url),
);

describe("README.md", () => {
  it("names every key of the config", () => {
    for (const [section, keys] of Object.entries(CONFIG_SCHEMA)) {
      assert.ok(README.includes(`\`[${section}]\``), section);
      for (const key of Object.keys(keys)) {
        assert.ok(README.includes(`\`${key}\``), `[${section}] ${key}`);
      }
    }
  });

  it("names every task with its parameters", () => {
    for (const task of TASKS.values()) {
      const line = README.split("\n").find((text) =>
        text.startsWith(`| \`${task.name}\``)
      );
      assert.ok(line !== undefined, task.name);
      const names = { ...task.trialParameters, ...task.gridParameters };
      for (const key of Object.keys(names)) {
        assert.ok(line.includes(`\`${key}\``), `${task.name}: ${key}`);
      }
    }
  });

  it("names every connectome", () => {
    for (const { name, regions } of CATALOGUE) {
      const line = README.split("\n").find((text) =>
        text.startsWith(`| \`${name}\``)
      );
      assert.match(line ?? "", new RegExp(`\\| ${regions} `), name);
    }
  });

  it("shows a config that is right", () => {
    const text = /```ini\n([\s\S]*?)```/.exec(README)?.[1] ?? "";
    const experiment = readExperiment(text, { file: "README", tasks: TASKS });
    assert.equal(experiment.grid.combinations.length, 24);
  });

  it("names tasks that there are", () => {
    for (const [, task] of README.matchAll(/deno(?:@[\d.]+)? task (\w+)/g)) {
      assert.ok(task as string in denoConfig.tasks, `deno task ${task}`);
    }
  });
});

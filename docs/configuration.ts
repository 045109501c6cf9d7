/**
 * Writes `docs/configuration.md` from the schema that configs are read by:
 * `deno task docs:config`. A test tells when the page is not what the schema says.
 *
 * @module
 */

import {
  CONFIG_SCHEMA,
  type KeySchema,
  LEARNING_RATE,
  TRIAL_SCHEMA,
} from "../src/experiment/schema.ts";
import { INITIALISATIONS } from "../src/rnn/initialisations.ts";
import { NONLINEARITIES } from "../src/rnn/nonlinearities.ts";
import { OPTIMIZERS } from "../src/rnn/optimizers.ts";
import { TASKS } from "../src/tasks/registry.ts";
import type { ParameterSchema } from "../src/tasks/task.ts";

const INTRODUCTION = `# Configuration

<!-- Written by \`deno task docs:config\` from src/experiment/schema.ts and the tasks; do not edit. -->

An experiment is a config file in the dialect of Python's \`configparser\`, with
Python literals as values: the files of \`bio_rnn_mem\` are read unchanged.
Nothing in it is evaluated. \`config/\` has one for each task; copy one and change
it. \`deno task train CONFIG.ini --dry-run\` shows what it comes to and trains
nothing.

Relative paths begin at the config file's folder; those of the command line at
the folder you are in. Shells' \`~\`, \`$NAME\` and \`%NAME%\` are refused in
paths: write them out. Unknown keys, values out of range and values given twice
are errors, told in one sentence with the line. A comment stands on a line of its
own.

## The command line

Flags of \`deno task train\` stand above the config: \`--path_to_results\`,
\`--path_to_network\`, \`--seed\`, \`--epochs\`, \`--iterations\`, and for every
other key \`--set SECTION.KEY=VALUE\`, for a key of a dict \`--set DICT.KEY=VALUE\`:

\`\`\`sh
deno task train bio.ini --path_to_results results/random --set net.random_w=True --set combos_params.lr=[0.001]
\`\`\`

\`experiment.json\` records what was changed (\`overrides\`), and the config that
counts (\`config.effective\`): with these, with all defaults, and as a file that
can be trained again.`;

const PARAMETERS = `## trial_params and combos_params

\`trial_params\` is a dict: the task, its trials, and what the task needs.
\`combos_params\` is a dict of lists; every combination of their values is
trained, the last key's value changing fastest, each \`iterations\` times.`;

function row(...cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  return [
    row(...head),
    row(...head.map(() => "---")),
    ...rows.map((cells) => row(...cells)),
  ].join("\n");
}

/** What a value may be, in words. */
function allowed(schema: KeySchema | ParameterSchema): string {
  switch (schema.kind) {
    case "choice":
      return schema.choices.map((choice) => `\`${choice}\``).join(", ");
    case "boolean":
      return "`True` or `False`";
    case "regions":
      return "list of names or numbers";
    case "integer":
    case "number": {
      const { from, to, above, below } = schema as ParameterSchema;
      const bounds = [
        above === undefined ? [] : `above ${above}`,
        from === undefined ? [] : `from ${from}`,
        to === undefined || to >= Number.MAX_SAFE_INTEGER
          ? []
          : above === undefined
          ? `to ${to}`
          : `at most ${to}`,
        below === undefined ? [] : `below ${below}`,
      ].flat();
      return [
        schema.kind === "integer" ? "whole number" : "number",
        ...bounds.slice(0, 1),
        ...bounds.slice(1).map((bound) =>
          above === undefined ? bound : `, ${bound}`
        ),
      ].join(" ").replaceAll(" ,", ",");
    }
    default:
      return schema.kind;
  }
}

/** What it is where the config says nothing. */
function fallback(schema: KeySchema | ParameterSchema): string {
  const value = "default" in schema ? schema.default : undefined;
  if (value !== undefined) {
    const python = typeof value === "boolean"
      ? value ? "True" : "False"
      : String(value);
    return `\`${python}\``;
  }
  if (schema.kind === "regions") return "all";
  if (schema.kind === "path") return schema.needed ? "needed" : "none";
  return "needed";
}

function keyRows(
  keys: Readonly<Record<string, KeySchema | ParameterSchema>>,
): string[][] {
  return Object.entries(keys).map(([key, schema]) => [
    `\`${key}\``,
    allowed(schema),
    fallback(schema),
    schema.description,
  ]);
}

const HEAD = ["key", "value", "default", "meaning"];

function sections(): string[] {
  return Object.entries(CONFIG_SCHEMA).map(([section, keys]) =>
    `## \`[${section}]\`\n\n${table(HEAD, keyRows(keys))}`
  );
}

function tasks(): string[] {
  const names = (values: readonly string[]) =>
    values.map((value) => `\`${value}\``).join(", ");
  return [
    `In \`trial_params\` of every task:`,
    table(HEAD, [
      [
        "`task_name`",
        names([...TASKS.keys()]),
        "needed",
        "the task; [extending](extending.md) says how to add one",
      ],
      ...keyRows(TRIAL_SCHEMA),
    ]),
    `In \`combos_params\` of every task, each a list:`,
    table(HEAD, [
      ...keyRows({ lr: LEARNING_RATE }),
      [
        "`nonlinearity`",
        names([...NONLINEARITIES.keys()]),
        "needed",
        "of the recurrent units; [below](#nonlinearity-optimizer-and-init)",
      ],
      [
        "`optimizer`",
        names([...OPTIMIZERS.keys()]),
        "needed",
        "with PyTorch's defaults, apart from the learning rate; [below](#nonlinearity-optimizer-and-init)",
      ],
    ]),
    ...[...TASKS.values()].map((task) =>
      `### \`${task.name}\`\n\n${task.description ?? ""}. The loss is ${
        task.loss === "mse"
          ? "the mean squared error of what is scored"
          : "the negative log-likelihood of the class"
      }.\n\n${
        table(["in", ...HEAD], [
          ...keyRows(task.trialParameters).map((cells) => [
            "`trial_params`",
            ...cells,
          ]),
          ...keyRows(task.gridParameters).map((cells) => [
            "`combos_params`",
            ...cells,
          ]),
        ])
      }`
    ),
  ];
}

/** What grids and `init` may name. */
function choices(): string[] {
  return [
    "## nonlinearity, optimizer and init",
    "[Extending](extending.md) says how to add one of one's own.",
    ...Object.entries({
      nonlinearity: NONLINEARITIES,
      optimizer: OPTIMIZERS,
      init: INITIALISATIONS,
    }).map(([key, all]) =>
      table(
        [key, "", "source"],
        [...all.values()].map(({ name, description, source }) => [
          `\`${name}\``,
          description,
          source.replace(/https:\S+$/, (link) => `<${link}>`),
        ]),
      )
    ),
  ];
}

/** The page, before `deno fmt` lays it out. */
export function configurationPage(): string {
  return [
    ...[INTRODUCTION, ...sections(), PARAMETERS, ...tasks(), ...choices()],
  ].join("\n\n") + "\n";
}

if (import.meta.main) {
  const page = new URL("configuration.md", import.meta.url);
  await Deno.writeTextFile(page, configurationPage());
}

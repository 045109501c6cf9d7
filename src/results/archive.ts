/**
 * What archives of research data, e.g. Zenodo or WorkflowHub, read of a results
 * folder: RO-Crate metadata; and what to cite, as BibTeX.
 *
 * @module
 */

import type { ExperimentRecord } from "./experiment_record.ts";
import { CRATE_FILE } from "./layout.ts";

/** A file of the folder. */
export interface CrateFile {
  /** Path within the folder, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

/** By the ending of a file's name. */
const TYPES: Readonly<Record<string, string>> = {
  json: "application/json",
  txt: "text/plain",
  bib: "application/x-bibtex",
  npz: "application/zip",
};

/** A reference to another entity. */
const at = (id: string) => ({ "@id": id });

/**
 * The text of `ro-crate-metadata.json`: a Process Run Crate
 * (https://w3id.org/ro/wfrun/process/0.5) of one action, the training, with the
 * config and the connectome that went in and the files that came out.
 *
 * @param record Of the finished experiment.
 * @param options The files; when the training ended; and what to cite.
 */
export function roCrate(
  record: ExperimentRecord,
  { files, ended, citations }: {
    readonly files: readonly CrateFile[];
    readonly ended: Date;
    readonly citations: readonly string[];
  },
): string {
  const { program, config, connectome, engine, task, seed } = record;
  const sources = citations.map((citation) => ({
    "@id": /https?:\S+$/.exec(citation)?.[0] ?? `#${citation.slice(0, 40)}`,
    "@type": "ScholarlyArticle",
    name: citation,
  }));
  const title = `${task.name} on ${connectome.name}${
    record.randomW ? ", randomised" : ""
  }`;
  const graph = [
    {
      "@id": CRATE_FILE,
      "@type": "CreativeWork",
      conformsTo: at("https://w3id.org/ro/crate/1.1"),
      about: at("./"),
    },
    {
      "@id": "./",
      "@type": "Dataset",
      name: `Recurrent networks trained on ${title}`,
      description:
        `${record.grid.combinations.length} combinations of hyper-parameters, ${record.iterations} runs of each, ${record.epochs} epochs; recurrent networks of ${record.size.hiddenSize} neurons with the topology of the connectome ${connectome.name}.`,
      datePublished: ended.toISOString(),
      conformsTo: at("https://w3id.org/ro/wfrun/process/0.5"),
      hasPart: files.map(({ path }) => at(path)),
      mentions: at("#training"),
      citation: sources.map((source) => at(source["@id"])),
    },
    {
      "@id": "https://w3id.org/ro/wfrun/process/0.5",
      "@type": "CreativeWork",
      name: "Process Run Crate",
      version: "0.5",
    },
    {
      "@id": "#training",
      "@type": "CreateAction",
      name: `Training on ${title}`,
      description: `Trained by ${engine.kind}: ${engine.description}`,
      endTime: ended.toISOString(),
      instrument: at("#biornn"),
      object: [at("#config"), at("#connectome"), at("#seed")],
      result: files.map(({ path }) => at(path)),
    },
    {
      "@id": "#biornn",
      "@type": "SoftwareApplication",
      name: program.name,
      softwareVersion: program.version,
      softwareRequirements: `Deno ${program.deno}`,
    },
    {
      "@id": "#config",
      "@type": "CreativeWork",
      name: config.file,
      encodingFormat: "text/plain",
      text: config.effective ?? config.text,
    },
    {
      "@id": "#connectome",
      "@type": "Dataset",
      name: connectome.name,
      description: `${connectome.species}, ${connectome.regions} regions${
        connectome.synthetic ? "; generated, no measured data" : ""
      }`,
      identifier: `sha256:${connectome.sha256}`,
      citation: connectome.citations.map((citation) =>
        at(sources.find(({ name }) => name === citation)?.["@id"] ?? citation)
      ),
    },
    { "@id": "#seed", "@type": "PropertyValue", name: "seed", value: seed },
    ...sources,
    ...files.map(({ path, bytes, sha256 }) => ({
      "@id": path,
      "@type": "File",
      name: path,
      contentSize: String(bytes),
      sha256,
      encodingFormat: TYPES[path.split(".").at(-1)!] ??
        "application/octet-stream",
    })),
  ];
  const context = "https://w3id.org/ro/crate/1.1/context";
  const crate = { "@context": context, "@graph": graph };
  return `${JSON.stringify(crate, null, 2)}\n`;
}

/** An author, initials first, e.g. "A.-S. Chiang et al." */
const AUTHOR =
  /^(?:\p{Lu}\p{M}?\.[- ]?)+ ?\p{Lu}[\p{L}\p{M}' -]*(?: et al\.)?$/u;

/**
 * Citations as BibTeX entries; what is written otherwise than the catalogue's
 * citations becomes a note.
 *
 * @param citations E.g. "A. Author, B. Author, Title, Journal 7, 1–9 (2014), https://doi.org/…"
 */
export function bibtex(citations: readonly string[]): string {
  const used = new Map<string, number>();
  return [...new Set(citations)].map((citation) => {
    const doi = /https?:\/\/doi\.org\/(\S+)$/.exec(citation)?.[1];
    const article = takeApart(citation);
    const key = article?.key ?? "source";
    const count = (used.get(key) ?? 0) + 1;
    used.set(key, count);
    const fields = {
      ...article?.fields ?? { note: citation },
      ...doi && { doi },
    };
    const lines = Object.entries(fields)
      .map(([name, value]) => `  ${name} = {${value}},\n`).join("");
    return `@${article === undefined ? "misc" : "article"}{${key}${
      count === 1 ? "" : `_${count}`
    },\n${lines}}\n`;
  }).join("\n");
}

function takeApart(citation: string) {
  const [, text, pages, year] =
    /^(?:\w+: )?(.*), (\S+) \((\d{4})\)(?:, https?:\S+)?$/.exec(citation) ?? [];
  const words = text?.split(", ") ?? [];
  const first = words.findIndex((word) => !AUTHOR.test(word));
  const [, journal, volume] = /^(.*) (\d+)$/.exec(words.at(-1) ?? "") ?? [];
  if (first < 1 || first === words.length - 1 || volume === undefined) {
    return undefined;
  }
  const authors = words.slice(0, first);
  const name = authors[0]!.replace(" et al.", "").split(" ").at(-1)!;
  return {
    key: `${plainLetters(name)}${year}`,
    fields: {
      author: authors.join(" and ").replaceAll(/ et al\./g, " and others"),
      title: `{${words.slice(first, -1).join(", ")}}`,
      journal,
      volume,
      pages: pages!.replaceAll("–", "--"),
      year,
    },
  };
}

/** "gamanut" of "Gămănuţ". */
function plainLetters(name: string): string {
  return name.normalize("NFD").replaceAll(/[^A-Za-z]/g, "").toLowerCase();
}

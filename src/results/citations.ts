/**
 * What to cite, as BibTeX.
 *
 * @module
 */

/** An author, initials first, e.g. "A.-S. Chiang et al." */
const AUTHOR =
  /^(?:\p{Lu}\p{M}?\.[- ]?)+ ?\p{Lu}[\p{L}\p{M}' -]*(?: et al\.)?$/u;

/** A citation taken apart. */
interface Parts {
  readonly authors: readonly string[];
  readonly title: string;
  readonly journal: string;
  readonly volume: string;
  readonly pages: string;
  readonly year: string;
}

/**
 * Citations as BibTeX entries; what is written otherwise than the catalogue's
 * citations becomes a note.
 *
 * @param citations E.g. "A. Author, B. Author, Title, Journal 7, 1–9 (2014), https://doi.org/…"
 *
 * @example
 * ```ts
 * import { bibtex } from "./src/results/citations.ts";
 *
 * bibtex(["S. W. Oh et al., A mesoscale connectome of the mouse brain, Nature 508, 207–214 (2014), https://doi.org/10.1038/nature13186"]);
 * // "@article{oh2014,\n  author = {S. W. Oh and others},\n…"
 * ```
 */
export function bibtex(citations: readonly string[]): string {
  const used = new Map<string, number>();
  return [...new Set(citations)].map((citation) => {
    const doi = /https?:\/\/doi\.org\/(\S+)$/.exec(citation)?.[1];
    const parts = takeApart(citation);
    const key = parts === undefined ? "source" : `${
      plainLetters(
        parts.authors[0]!.replace(" et al.", "").split(" ").at(-1)!,
      )
    }${parts.year}`;
    const count = (used.get(key) ?? 0) + 1;
    used.set(key, count);
    const fields = parts === undefined ? { note: citation } : {
      author: parts.authors.join(" and ")
        .replaceAll(/ et al\./g, " and others"),
      title: `{${parts.title}}`,
      journal: parts.journal,
      volume: parts.volume,
      pages: parts.pages.replaceAll("–", "--"),
      year: parts.year,
    };
    const lines = Object.entries({ ...fields, ...(doi && { doi }) })
      .map(([name, value]) => `  ${name} = {${value}},\n`).join("");
    return `@${parts === undefined ? "misc" : "article"}{${key}${
      count === 1 ? "" : `_${count}`
    },\n${lines}}\n`;
  }).join("\n");
}

function takeApart(citation: string): Parts | undefined {
  const [, text, pages, year] =
    /^(?:\w+: )?(.*), (\S+) \((\d{4})\)(?:, https?:\S+)?$/.exec(citation) ?? [];
  const words = text?.split(", ") ?? [];
  const first = words.findIndex((word) => !AUTHOR.test(word));
  const [, journal, volume] = /^(.*) (\d+)$/.exec(words.at(-1) ?? "") ?? [];
  if (
    first < 1 || first === words.length - 1 || journal === undefined ||
    volume === undefined || pages === undefined || year === undefined
  ) return undefined;
  return {
    authors: words.slice(0, first),
    title: words.slice(first, -1).join(", "),
    journal,
    volume,
    pages,
    year,
  };
}

/** "gamanut" of "Gămănuţ". */
function plainLetters(name: string): string {
  return name.normalize("NFD").replaceAll(/[^A-Za-z]/g, "").toLowerCase();
}

/**
 * The catalogue: measured connectomes that can be downloaded, with the papers
 * to cite and the checksum of every file.
 *
 * @module
 */

import catalogue from "../../connectomes/catalogue.json" with { type: "json" };

/** A file of the catalogue. */
export interface CatalogueFile {
  /** Its name, at its source and in a folder of connectomes. */
  readonly file: string;
  /** SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: number;
}

/** A connectome of the catalogue. */
export interface CatalogueEntry {
  readonly name: string;
  readonly species: string;
  /** What was measured, and how. */
  readonly description: string;
  readonly regions: number;
  /** Number of connections between its regions. */
  readonly connections: number;
  /** What to cite, one paper an element, with its DOI. */
  readonly citations: readonly string[];
  readonly files: {
    readonly weights: CatalogueFile;
    readonly names: CatalogueFile;
    readonly density?: CatalogueFile;
  };
}

/** Address of the folder that holds all files of the catalogue, pinned to a commit. */
export const CATALOGUE_ADDRESS: string = catalogue.address;

/** Terms of the collection. */
export const CATALOGUE_LICENCE: string = catalogue.licence;

/** Paper that goes with the collection as a whole. */
export const COLLECTION_CITATION: string = catalogue.collectionCitation;

/** All connectomes of the catalogue. */
export const CATALOGUE: readonly CatalogueEntry[] = catalogue.connectomes;

/** The connectome of that name, or undefined. */
export function catalogueEntry(name: string): CatalogueEntry | undefined {
  return CATALOGUE.find((entry) => entry.name === name);
}

/** What to cite for a connectome of the catalogue: its papers and the collection's. */
export function citationsOf(entry: CatalogueEntry): string[] {
  return [...entry.citations, COLLECTION_CITATION];
}

/** The files of a connectome, the weights last. */
export function filesOf({ files }: CatalogueEntry): CatalogueFile[] {
  return [
    files.names,
    ...(files.density === undefined ? [] : [files.density]),
    files.weights,
  ];
}

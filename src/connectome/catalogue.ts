/**
 * The catalogue: measured connectomes that can be downloaded, with the papers
 * to cite, the checksum of every file, and how to read it.
 *
 * @module
 */

import catalogue from "../../connectomes/catalogue.json" with { type: "json" };
import type { RowMeaning } from "./connectome.ts";

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
  /** Which regions the rows of its file are. */
  readonly rows: RowMeaning;
  /** What to cite, one paper an element, with its DOI. */
  readonly citations: readonly string[];
  /** Address of the folder of its files, where that is not the collection's. */
  readonly address?: string;
  /** Its terms, where they are not the collection's. */
  readonly licence?: string;
  /** Of a list of connections: the types that are read; all without it. */
  readonly types?: readonly string[];
  readonly files: {
    readonly weights: CatalogueFile;
    readonly names?: CatalogueFile;
    readonly density?: CatalogueFile;
  };
}

/** Address of the folder that holds the files of the collection, pinned to a commit. */
export const CATALOGUE_ADDRESS: string = catalogue.address;

/** Terms of the collection. */
export const CATALOGUE_LICENCE: string = catalogue.licence;

/** Paper that goes with the collection as a whole. */
export const COLLECTION_CITATION: string = catalogue.collectionCitation;

/** All connectomes of the catalogue. */
export const CATALOGUE: readonly CatalogueEntry[] = catalogue
  .connectomes as readonly CatalogueEntry[];

/** The connectome of that name, or undefined. */
export function catalogueEntry(name: string): CatalogueEntry | undefined {
  return CATALOGUE.find((entry) => entry.name === name);
}

/** What to cite for a connectome of the catalogue: its papers and the collection's. */
export function citationsOf(entry: CatalogueEntry): string[] {
  return entry.address === undefined
    ? [...entry.citations, COLLECTION_CITATION]
    : [...entry.citations];
}

/** Where its files are. */
export function addressOf({ address }: CatalogueEntry): string {
  return address ?? CATALOGUE_ADDRESS;
}

/** The files of a connectome, the weights last. */
export function filesOf({ files }: CatalogueEntry): CatalogueFile[] {
  return [
    ...(files.names === undefined ? [] : [files.names]),
    ...(files.density === undefined ? [] : [files.density]),
    files.weights,
  ];
}

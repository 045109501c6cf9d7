/**
 * Lists of the entries of a matrix that exist: what a network's weights are
 * kept by. Memory and time grow with the number of connections, not with the
 * size of the matrix.
 *
 * @module
 */

/** An array of single- or double-precision numbers. */
export type FloatArray = Float32Array | Float64Array;

/** Which entries of a row-major matrix exist; n of them, row by row (compressed sparse rows). */
export interface Connections {
  /** Receiving units, the rows of the matrix. */
  readonly receivers: number;
  /** Sending units, the columns. */
  readonly senders: number;
  /** [receivers + 1]: receiver i has the connections start[i]…start[i + 1] − 1. */
  readonly start: Uint32Array;
  /** [n]: the sender of each connection, rising within a receiver. */
  readonly sender: Uint32Array;
}

/** The same connections seen from the other side: what a sender gets back. */
interface TransposedConnections extends Connections {
  /** [n]: the number of each connection in the list it was made of. */
  readonly position: Uint32Array;
}

/**
 * The connections of a matrix that is [receivers, senders] large.
 *
 * @param mask Same size, not 0 where there is a connection; without it all are there.
 * @throws {RangeError} If the mask has another size.
 */
export function listConnections(
  { receivers, senders }: Pick<Connections, "receivers" | "senders">,
  mask?: ArrayLike<number>,
): Connections {
  const size = receivers * senders;
  if (mask !== undefined && mask.length !== size) {
    throw new RangeError(
      `Cannot list the connections: the mask must have ${receivers} × ${senders} entries, found ${mask.length}`,
    );
  }
  let count = size;
  if (mask !== undefined) {
    for (let at = 0; at < size; at++) if (mask[at] === 0) count--;
  }
  const start = new Uint32Array(receivers + 1);
  const sender = new Uint32Array(count);
  let n = 0;
  for (let i = 0; i < receivers; i++) {
    for (let j = 0; j < senders; j++) {
      if (mask === undefined || mask[i * senders + j] !== 0) sender[n++] = j;
    }
    start[i + 1] = n;
  }
  return { receivers, senders, start, sender };
}

/** How many connections there are. */
export function countConnections({ sender }: Connections): number {
  return sender.length;
}

/**
 * What is wrong with a list of connections, as the end of a sentence; undefined
 * where it is sound.
 */
export function findConnectionProblem(
  { receivers, senders, start, sender }: Connections,
): string | undefined {
  if (start.length !== receivers + 1) {
    return `there are ${start.length} starts of receivers, not ${
      receivers + 1
    }`;
  }
  if (start[0] !== 0 || start[receivers] !== sender.length) {
    return `the starts of receivers go from ${start[0]} to ${
      start[receivers]
    }, not from 0 to ${sender.length}, the number of connections`;
  }
  // Before any sender is looked at: starts that fall would lead out of the list.
  const falling = start.findIndex((at, i) => at < start[i - 1]!);
  if (falling > 0) {
    return `the start of receiver ${falling} is ${
      start[falling]
    }, before that of receiver ${falling - 1}, ${start[falling - 1]}`;
  }
  for (let i = 0; i < receivers; i++) {
    const end = start[i + 1]!;
    for (let n = start[i]!, before = -1; n < end; n++) {
      const j = sender[n]!;
      if (j >= senders) {
        return `connection ${n} of receiver ${i} comes from sender ${j} of ${senders}`;
      }
      if (j <= before) {
        return `the senders of receiver ${i} do not rise: ${before} is followed by ${j}`;
      }
      before = j;
    }
  }
  return undefined;
}

/** [n + 1]: how many keys are below each number. */
export function firstOfEach(keys: Uint32Array, n: number): Uint32Array {
  const first = new Uint32Array(n + 1);
  for (let i = 0; i < keys.length; i++) first[keys[i]! + 1]!++;
  for (let key = 0; key < n; key++) first[key + 1]! += first[key]!;
  return first;
}

/** The row of each entry, from where the rows begin. */
export function rowOfEach(start: Uint32Array): Uint32Array {
  const row = new Uint32Array(start.at(-1)!);
  for (let a = 0; a + 1 < start.length; a++) {
    row.fill(a, start[a], start[a + 1]);
  }
  return row;
}

/** The numbers of things by rising key, from where each key's begin; those of one key stay in the order they had. */
export function orderBy(
  keys: Uint32Array,
  { first, order }: {
    readonly first: Uint32Array;
    /** Default 0, 1, 2 … */
    readonly order?: Uint32Array;
  },
): Uint32Array {
  const next = first.slice();
  const sorted = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const thing = order === undefined ? i : order[i]!;
    sorted[next[keys[thing]!]!++] = thing;
  }
  return sorted;
}

/** The same connections listed by sender: rows become columns. */
export function transposeConnections(
  { receivers, senders, start, sender }: Connections,
): TransposedConnections {
  const first = firstOfEach(sender, senders);
  const position = orderBy(sender, { first });
  const receiver = rowOfEach(start);
  return {
    receivers: senders,
    senders: receivers,
    start: first,
    sender: position.map((n) => receiver[n]!),
    position,
  };
}

/** Values of connections, [n], in the order of the transposed list. */
export function transposedValues<A extends FloatArray>(
  { position }: TransposedConnections,
  values: A,
): A {
  return values.map((_, n) => values[position[n]!]!) as A;
}

/**
 * Values of connections, [n], as a matrix [receivers, senders]; 0 where there
 * is no connection.
 */
export function denseMatrix<A extends FloatArray | Uint8Array>(
  { receivers, senders, start, sender }: Connections,
  values: A,
): A {
  const matrix = emptyLike(values, receivers * senders);
  for (let i = 0; i < receivers; i++) {
    for (let n = start[i]!; n < start[i + 1]!; n++) {
      matrix[i * senders + sender[n]!] = values[n]!;
    }
  }
  return matrix;
}

/** [receivers, senders], 1 where there is a connection. */
export function denseMask(connections: Connections): Uint8Array {
  const ones = new Uint8Array(countConnections(connections)).fill(1);
  return denseMatrix(connections, ones);
}

/** The values of a matrix [receivers, senders] where there are connections, [n]. */
export function connectedValues<A extends FloatArray | Uint8Array>(
  { receivers, senders, start, sender }: Connections,
  matrix: A,
): A {
  const values = emptyLike(matrix, sender.length);
  for (let i = 0; i < receivers; i++) {
    for (let n = start[i]!; n < start[i + 1]!; n++) {
      values[n] = matrix[i * senders + sender[n]!]!;
    }
  }
  return values;
}

/** Zeros, in an array of the same kind. */
export function emptyLike<A extends FloatArray | Uint8Array | Uint32Array>(
  { constructor }: A,
  length: number,
): A {
  return new (constructor as new (length: number) => A)(length);
}

/**
 * How many of the blocks of `side` × `side` weights hold a connection: neurons of a region
 * lie side by side, so that whole blocks are empty where regions are not connected.
 */
export function countBlocks(connections: Connections, side: number): number {
  if (side === 1) return countConnections(connections);
  let count = 0;
  forEachBlockRow(connections, side, (columns) => count += columns.length);
  return count;
}

/**
 * Calls `visit` with the columns of the blocks, rising, that each row of blocks
 * holds. The array is used again for the next row.
 */
export function forEachBlockRow(
  { receivers, senders, start, sender }: Connections,
  side: number,
  visit: (columns: Uint32Array, row: number) => void,
): void {
  const rows = Math.ceil(receivers / side);
  const seen = new Int32Array(Math.ceil(senders / side)).fill(-1);
  const found = new Uint32Array(seen.length);
  for (let row = 0; row < rows; row++) {
    let count = 0;
    const last = Math.min((row + 1) * side, receivers);
    for (let c = start[row * side]!; c < start[last]!; c++) {
      const column = Math.floor(sender[c]! / side);
      if (seen[column] === row) continue;
      seen[column] = row;
      found[count++] = column;
    }
    visit(found.subarray(0, count).sort(), row);
  }
}

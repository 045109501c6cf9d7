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
export interface TransposedConnections extends Connections {
  /** [n]: the number of each connection in the list it was made of. */
  readonly position: Uint32Array;
}

/** Size of a matrix. */
interface MatrixSize {
  readonly receivers: number;
  readonly senders: number;
}

/**
 * The connections of a matrix that is [receivers, senders] large.
 *
 * @param mask Same size, not 0 where there is a connection; without it all are there.
 * @throws {RangeError} If the mask has another size.
 */
export function listConnections(
  { receivers, senders }: MatrixSize,
  mask?: ArrayLike<number>,
): Connections {
  const size = receivers * senders;
  if (mask !== undefined && mask.length !== size) {
    throw new RangeError(
      `Cannot list the connections: the mask must have ${receivers} × ${senders} entries, found ${mask.length}`,
    );
  }
  let count = 0;
  if (mask === undefined) count = size;
  else for (let at = 0; at < size; at++) if (mask[at] !== 0) count++;
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
  for (let i = 0; i < receivers; i++) {
    if (start[i]! > start[i + 1]!) {
      return `the start of receiver ${i + 1} is ${
        start[i + 1]
      }, before that of receiver ${i}, ${start[i]}`;
    }
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

/** The same connections listed by sender: rows become columns. */
export function transposeConnections(
  { receivers, senders, start, sender }: Connections,
): TransposedConnections {
  const newStart = new Uint32Array(senders + 1);
  for (const j of sender) newStart[j + 1]!++;
  for (let j = 0; j < senders; j++) newStart[j + 1]! += newStart[j]!;
  const next = newStart.slice(0, senders);
  const newSender = new Uint32Array(sender.length);
  const position = new Uint32Array(sender.length);
  for (let i = 0; i < receivers; i++) {
    for (let k = start[i]!; k < start[i + 1]!; k++) {
      const n = next[sender[k]!]!++;
      newSender[n] = i;
      position[n] = k;
    }
  }
  return {
    receivers: senders,
    senders: receivers,
    start: newStart,
    sender: newSender,
    position,
  };
}

/** Values of connections, [n], in the order of the transposed list. */
export function transposedValues<A extends FloatArray>(
  { position }: TransposedConnections,
  values: A,
): A {
  const turned = emptyLike(values, values.length);
  for (let n = 0; n < position.length; n++) turned[n] = values[position[n]!]!;
  return turned;
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
function emptyLike<A extends FloatArray | Uint8Array>(
  values: A,
  length: number,
): A {
  if (values instanceof Float32Array) return new Float32Array(length) as A;
  if (values instanceof Float64Array) return new Float64Array(length) as A;
  return new Uint8Array(length) as A;
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

/**
 * Tables with commas, read and written by Papa Parse.
 *
 * @module
 */

export { default as Papa } from "npm:papaparse@5.7.1";

// Where the programs under test and the real endpoints are.

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const target = resolve(import.meta.dirname, '../../target');

/** The console as it is delivered, with the front end inside. */
export function consoleBinary(): string {
  return process.env['QMP_CONSOLE_BIN'] ?? existing(join(target, 'release/qmp-console'), 'cargo xtask build');
}

/** The scriptable endpoint, as it was built last. */
export function fakeBinary(): string {
  const built = ['release', 'debug'].map((profile) => join(target, profile, 'qmp-fake')).filter(isProgram);
  built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return built[0] ?? existing(join(target, 'debug/qmp-fake'), 'cargo build -p qmp-fake');
}

/** A program of the system; `/usr/sbin` is not on every user's `PATH`. */
export function systemProgram(name: string): string {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  const found = [...path, '/usr/sbin', '/sbin'].map((directory) => join(directory, name)).find(isProgram);
  if (found === undefined) throw new Error(`${name} is not installed`);
  return found;
}

function existing(path: string, how: string): string {
  if (!isProgram(path)) throw new Error(`${path} is not there; make it by: ${how}`);
  return path;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

// Child processes, each in a process group of its own that ends with the test,
// and at the latest with us.

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { within } from './until.ts';

/** How long a process may take to end when asked to. */
const GRACE_MS = 5_000;

/** The newest lines of its output that a process's log keeps. */
const LOG_LINES = 500;

const alive = new Set<Process>();

// Fixtures end everything; this is for a worker that is itself ended early.
process.on('exit', () => {
  for (const each of alive) each.signal('SIGKILL');
});

export interface Options {
  /** Variables beside our own; `undefined` takes one away. */
  env?: Record<string, string | undefined>;
}

/** A running program. */
export class Process {
  readonly name: string;
  readonly pid: number;
  /** How it ended: an exit code, or a signal. */
  readonly ended: Promise<string>;
  readonly #log: string[] = [];
  readonly #waiting = new Set<(line: string) => void>();

  private constructor(name: string, child: ChildProcess, pid: number) {
    this.name = name;
    this.pid = pid;
    // `close` comes after the last of its output; `exit` may not.
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        alive.delete(this);
        resolve(code === null ? `${signal}` : `exit code ${code}`);
      });
    });
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', (line) => this.#note(line));
    }
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => this.#note(line));
    }
    alive.add(this);
  }

  /** Starts a program. `name` is for messages. */
  static async start(
    name: string,
    program: string,
    args: readonly string[],
    options: Options = {},
  ): Promise<Process> {
    const child = spawn(program, args, {
      // A group of its own.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    const started = new Promise<number>((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`cannot start ${name}`, { cause: error })));
      child.once('spawn', () => resolve(child.pid ?? 0));
    });
    // Made before the first await, so that no line and no end is missed.
    if (child.pid === undefined) {
      await started;
      throw new Error(`${name} has no process id`);
    }
    const process_ = new Process(name, child, child.pid);
    await started;
    return process_;
  }

  /** What it printed, and what it said on standard error. */
  get log(): string {
    return this.#log.map((line) => `${line}\n`).join('');
  }

  /** Whether it has not ended yet. */
  get running(): boolean {
    return alive.has(this);
  }

  /**
   * Does something that is over when the process is ready, and fails as soon
   * as the process ends before, with its log.
   */
  async ready<T>(what: string, readiness: Promise<T>): Promise<T> {
    const ended = this.ended.then((how) => {
      throw new Error(`${this.name} ended (${how}) before ${what}:\n${this.log}`);
    });
    ended.catch(() => {});
    return await within(`${this.name}: ${what}`, Promise.race([readiness, ended]));
  }

  /** The first line of its output, past or to come, that matches. */
  async line(pattern: RegExp): Promise<RegExpMatchArray> {
    let resolve: (match: RegExpMatchArray) => void = () => {};
    const found = new Promise<RegExpMatchArray>((set) => (resolve = set));
    const listener = (line: string): void => {
      const match = line.match(pattern);
      if (match !== null) resolve(match);
    };
    this.#waiting.add(listener);
    this.#log.forEach(listener);
    try {
      return await this.ready(`it printed ${pattern}`, found);
    } finally {
      this.#waiting.delete(listener);
    }
  }

  /** Sends a signal to the process and all in its group. */
  signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Asks it to end, kills it when it does not, and waits until it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<string> {
    if (!this.running) return await this.ended;
    this.signal(signal);
    try {
      return await within(`${this.name} ends on ${signal}`, this.ended, GRACE_MS);
    } catch {
      this.signal('SIGKILL');
      return await within(`${this.name} ends on SIGKILL`, this.ended, GRACE_MS);
    }
  }

  #note(line: string): void {
    this.#log.push(line);
    if (this.#log.length > LOG_LINES) this.#log.shift();
    for (const waiting of this.#waiting) waiting(line);
  }
}

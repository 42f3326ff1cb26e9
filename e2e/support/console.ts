// The console under test: the delivered binary, on a port of its own.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

import { Process } from './process.ts';
import { consoleBinary } from './programs.ts';

/** What a console serves: addresses by the names of its sessions. */
export type Sessions = Record<string, string | { address: string }>;

/** What a token allows. */
export type Role = 'viewer' | 'operator' | 'admin';

/** What a console can be made to suffer. */
export interface Fate {
  /** Its disk can be made [full]{@link Console.fillDisk}. */
  full?: boolean;
}

/** A running `qmp-console serve`. */
export class Console {
  /** Lets its bearer in. */
  readonly token = randomBytes(32).toString('hex');
  readonly #args: readonly string[];
  readonly #fate: Fate;
  #process: Process | undefined;
  /** `127.0.0.1:PORT`; the port stays when the console is started again. */
  #host = '127.0.0.1:0';
  /** The path before all of its own, with a slash at its end. */
  #base = '/';

  constructor(sessions: Sessions, args: readonly string[] = [], fate: Fate = {}) {
    this.#fate = fate;
    const pairs = Object.entries(sessions).map(([name, endpoint]) => {
      const address = typeof endpoint === 'string' ? endpoint : endpoint.address;
      return ['--session', `${name}=${address}`];
    });
    const keep = args.includes('--data-dir') ? [] : ['--ephemeral'];
    this.#args = ['serve', ...keep, '--log', 'debug', ...pairs.flat(), ...args];
  }

  /** Its own `HOST:PORT`. */
  get host(): string {
    return this.#host;
  }

  /** The address of its first page, ending in `/`. */
  get url(): string {
    return `http://${this.#host}${this.#base}`;
  }

  /** An address under `/api/v1/`. */
  api(path: string): string {
    return `${this.url}api/v1/${path}`;
  }

  /** The header that shows the token. */
  get authorization(): { authorization: string } {
    return { authorization: `Bearer ${this.token}` };
  }

  /** Where a browser signs in by opening it. */
  get signInUrl(): string {
    return this.signInUrlOf(this.token);
  }

  /** The same with another token. */
  signInUrlOf(token: string): string {
    return `${this.url}#token=${token}`;
  }

  /** Makes a token; `expires` in seconds. The console needs a `--data-dir`. */
  async newToken(name: string, role: Role, expires?: number): Promise<string> {
    const answer = await this.#call('POST', 'tokens', { name, role, expires });
    return (JSON.parse(answer) as { token: string }).token;
  }

  /** Ends a token. */
  async revoke(name: string): Promise<void> {
    await this.#call('DELETE', `tokens/${name}`);
  }

  /** Adds a session. */
  async addSession(name: string, address: string): Promise<void> {
    await this.#call('POST', 'sessions', { name, address });
  }

  /** Removes a session. */
  async removeSession(name: string): Promise<void> {
    await this.#call('DELETE', `sessions/${name}`);
  }

  /** Connects a session, or disconnects it. */
  async connect(name: string): Promise<void> {
    await this.#call('POST', `sessions/${name}/connect`);
  }

  async disconnect(name: string): Promise<void> {
    await this.#call('POST', `sessions/${name}/disconnect`);
  }

  /** Executes a command, on the session `vm` if none is named; answers what it returned. */
  async execute(command: string, args?: object, session = 'vm'): Promise<unknown> {
    const answer = await this.#call('POST', `sessions/${session}/execute`, { execute: command, arguments: args });
    return (JSON.parse(answer) as { return: unknown }).return;
  }

  async #call(method: string, path: string, body?: unknown): Promise<string> {
    const answer = await fetch(this.api(path), {
      method,
      headers: { ...this.authorization, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  }

  /** Starts it; returns when it accepts connections. */
  async start(): Promise<void> {
    if (this.#process?.running) throw new Error('the console is running already');
    const args = [...this.#args, '--listen', this.#host];
    // A write past the limit of its files is to fail, rather than to end it.
    const shell = ['-c', 'trap "" XFSZ; exec "$@"', 'sh', consoleBinary(), ...args];
    const [program, all] = this.#fate.full ? ['/bin/sh', shell] : [consoleBinary(), args];
    this.#process = await Process.start('qmp-console', program, all, {
      env: { QMP_CONSOLE_TOKEN: this.token },
    });
    const [, host, base] = await this.#process.line(/^listening on http:\/\/([^/]+)(\/.*)$/);
    this.#host = host ?? this.#host;
    this.#base = base ?? this.#base;
  }

  /** Asks it to end, waits until it is gone, and tells how it ended. */
  async stop(): Promise<string | undefined> {
    return await this.#process?.stop('SIGTERM');
  }

  /** Kills it where it stands. */
  async kill(): Promise<void> {
    await this.#process?.stop('SIGKILL');
  }

  /** Ends it and starts it again on the same port, with the same token. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Lets it write to no file any more, as if the disk were full; or again. */
  fillDisk(full = true): void {
    if (!this.#fate.full) throw new Error('this console was not started for that');
    const limit = full ? '0' : 'unlimited';
    execFileSync('prlimit', [`--pid=${this.pid}`, `--fsize=${limit}:unlimited`]);
  }

  /** Its process. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** What it said, for a failed test. */
  get log(): string {
    return this.#process?.log ?? '';
  }
}

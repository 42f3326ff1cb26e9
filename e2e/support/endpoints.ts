// What a console connects to: a real QEMU, a real storage daemon, a real guest
// agent, and the scriptable fake for what these cannot be made to do. Each in
// the test's own directory.

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { Process } from './process.ts';
import { fakeBinary, systemProgram } from './programs.ts';
import { until } from './until.ts';

/** Something with a QMP address, started again and again at the same place. */
export abstract class Endpoint {
  /** As `--session NAME=ADDRESS` takes it. */
  abstract readonly address: string;
  protected process: Process | undefined;

  /** Starts it; returns when its socket listens. */
  async start(): Promise<void> {
    if (this.process?.running) throw new Error(`${this.process.name} is running already`);
    this.process = await this.launch();
  }

  /** Asks it to end, and waits until it is gone. */
  async stop(): Promise<void> {
    await this.process?.stop('SIGTERM');
  }

  /** Kills it where it stands, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.process?.stop('SIGKILL');
  }

  /** Kills it and starts it again. */
  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** What it said, for a failed test. */
  get log(): string {
    return this.process?.log ?? '';
  }

  get running(): boolean {
    return this.process?.running ?? false;
  }

  protected abstract launch(): Promise<Process>;
}

/** A monitor of one qcow2 image. */
abstract class WithDisk extends Endpoint {
  readonly socket: string;
  readonly disk: string;

  constructor(directory: string, name: string) {
    super();
    this.socket = join(directory, `${name}.qmp`);
    this.disk = join(directory, `${name}.qcow2`);
    createImage(this.disk);
  }

  get address(): string {
    return `unix:${this.socket}`;
  }
}

/** A real QEMU: firmware, no operating system, one disk. */
export class Vm extends WithDisk {
  constructor(directory: string, name = 'vm') {
    super(directory, name);
  }

  protected async launch(): Promise<Process> {
    const args = [
      ...['-no-user-config', '-nodefaults', '-display', 'none', '-name', 'e2e'],
      ...['-machine', 'q35', '-accel', 'tcg', '-m', '64'],
      ...['-device', 'VGA', '-device', 'virtio-balloon'],
      // Where devices are added to.
      ...['-device', 'pcie-root-port,id=port0'],
      ...['-blockdev', `driver=file,node-name=file0,filename=${this.disk}`],
      ...['-blockdev', 'driver=qcow2,node-name=disk0,file=file0'],
      ...['-device', 'virtio-blk,drive=disk0,id=virtio-disk0'],
      ...['-chardev', `socket,id=monitor,path=${this.socket},server=on,wait=off`],
      ...['-mon', 'chardev=monitor,mode=control'],
    ];
    const qemu = await Process.start('QEMU', systemProgram('qemu-system-x86_64'), args);
    await listening(qemu, this.socket);
    return qemu;
  }
}

/** A real qemu-storage-daemon with one qcow2 image. */
export class Storage extends WithDisk {
  constructor(directory: string, name = 'storage') {
    super(directory, name);
  }

  protected async launch(): Promise<Process> {
    const args = [
      ...['--chardev', `socket,id=monitor,path=${this.socket},server=on,wait=off`],
      ...['--monitor', 'chardev=monitor'],
      ...['--blockdev', `driver=file,node-name=file0,filename=${this.disk}`],
      ...['--blockdev', 'driver=qcow2,node-name=disk0,file=file0'],
    ];
    const daemon = await Process.start('qemu-storage-daemon', systemProgram('qemu-storage-daemon'), args);
    await listening(daemon, this.socket);
    return daemon;
  }
}

/** What the agent may do: it runs on this very machine, and must not change it. */
const HARMLESS = /^guest-(info|ping|sync|sync-delimited|network-get-interfaces|get-.+)$/;

/** A real guest agent, which runs on this machine and only looks. */
export class Agent extends Endpoint {
  readonly socket: string;
  readonly #directory: string;

  constructor(directory: string, name = 'agent') {
    super();
    this.socket = join(directory, `${name}.qga`);
    this.#directory = join(directory, `${name}-state`);
  }

  get address(): string {
    return `unix:${this.socket},kind=qga`;
  }

  protected async launch(): Promise<Process> {
    const program = systemProgram('qemu-ga');
    const env = {
      // No file, and so no configuration but this one.
      QGA_CONF: join(this.#directory, 'none.conf'),
    };
    const offered = execFileSync(program, ['-b', 'help'], { encoding: 'utf8', env: { ...process.env, ...env } });
    const commands = offered.split('\n').filter((line) => line !== '');
    const blocked = commands.filter((command) => !HARMLESS.test(command));
    for (const dangerous of ['guest-exec', 'guest-shutdown', 'guest-file-write']) {
      // Not understood means not blocked.
      if (!blocked.includes(dangerous)) throw new Error(`qemu-ga -b help does not list ${dangerous}:\n${offered}`);
    }
    await mkdir(this.#directory, { recursive: true });
    const args = [
      ...['-m', 'unix-listen', '-p', this.socket],
      ...['-t', this.#directory, '-f', join(this.#directory, 'pid')],
      ...['-b', blocked.join(',')],
    ];
    const agent = await Process.start('qemu-ga', program, args, { env });
    await listening(agent, this.socket);
    return agent;
  }
}

/** One thing that a fake does; `server/fake/src/script.rs` describes each. */
export type Action =
  | 'greet'
  | 'sync'
  | 'silence'
  | 'close'
  | { send: string }
  | { bytes: string }
  | { return: unknown }
  | { error: { class: string; desc: string } }
  | { event: { name: string; data?: unknown } }
  | { flood: { event: string; count: number } }
  | { hold: { until?: string } };

/** What a fake does. */
export interface Script {
  greeting?: Action[];
  rules?: Record<string, Action[]>;
  concurrent?: boolean;
  backlog?: number;
}

/** An endpoint that does what a script says. */
export class Fake extends Endpoint {
  readonly address: string;
  readonly #script: string;

  constructor(directory: string, script: Script, name = 'fake') {
    super();
    this.address = `unix:${join(directory, `${name}.qmp`)}`;
    this.#script = join(directory, `${name}.json`);
    writeFileSync(this.#script, JSON.stringify(script));
  }

  protected async launch(): Promise<Process> {
    const args = ['--listen', this.address, '--script', this.#script];
    const fake = await Process.start('qmp-fake', fakeBinary(), args);
    await fake.line(/^unix:/);
    return fake;
  }
}

/** The kernel's mark of a socket that somebody listens on. */
const SO_ACCEPTCON = 0x10000;

/**
 * Waits until the process listens on its socket. Looks without connecting: a
 * monitor serves one client, and that is not us.
 */
async function listening(process: Process, path: string): Promise<void> {
  const isListening = (): boolean =>
    readFileSync('/proc/net/unix', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .some((fields) => fields[7] === path && (Number.parseInt(fields[3] ?? '', 16) & SO_ACCEPTCON) !== 0);
  await process.ready(`it listens on ${path}`, until(`${path} listens`, isListening));
}

function createImage(path: string): void {
  execFileSync(systemProgram('qemu-img'), ['create', '-q', '-f', 'qcow2', path, '64M']);
}

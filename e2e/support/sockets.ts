// Plain connections, for being somebody else.

import { type Socket, createConnection } from 'node:net';

/** Connects to a unix socket. */
export async function connect(path: string): Promise<Socket> {
  const socket = createConnection(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  // Reads and forgets, so that the other side is never held up.
  socket.resume();
  return socket;
}

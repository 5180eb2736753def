// A real Redis for a test: on loopback, at a port of its own, behind a password, with what it was told on disk.
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { createConnection, createServer } from "node:net"
import { setTimeout as wait } from "node:timers/promises"

export const hasRedis = spawnSync("redis-server", ["--version"], { stdio: "ignore" }).status === 0
/** Said where tests are skipped. */
export const withoutRedis = "needs redis-server (Debian: apt-get install redis-server)"

export class RedisServer {
  private server?: ChildProcess

  private constructor(
    readonly folder: string,
    readonly port: number,
    readonly password: string,
  ) {}

  static async start(folder: string): Promise<RedisServer> {
    const redis = new RedisServer(folder, await findPort(), "not-for-eyes-8d1f")
    await redis.begin()
    return redis
  }

  get url(): string {
    return `redis://:${this.password}@127.0.0.1:${this.port}`
  }

  async begin(): Promise<void> {
    const words = ["--port", String(this.port), "--bind", "127.0.0.1", "--requirepass", this.password, "--dir", this.folder]
    this.server = spawn("redis-server", [...words, "--appendonly", "yes", "--appendfsync", "always", "--save", ""], { stdio: "ignore" })
    while (!(await isListening(this.port))) await wait(20)
  }

  async end(): Promise<void> {
    if (!this.server || this.server.exitCode !== null || this.server.signalCode !== null) return
    const ended = once(this.server, "close")
    this.server.kill("SIGTERM")
    await ended
  }
}

export async function findPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, "close")
  return port
}

async function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })
}

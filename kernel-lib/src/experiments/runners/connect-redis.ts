// The way to Redis: an address is checked, a first word is exchanged before anything depends on it, and no password is ever said.
import type * as BullMQ from "bullmq"
import type { Redis, RedisOptions } from "ioredis"
import { InputError, isPrompt2ModelError, ServiceError } from "../../core/errors"

export interface RedisConnection {
  readonly bullmq: typeof BullMQ
  /** Host and port, without a password: for people. */
  readonly place: string
  /** A connection that waits for Redis as long as it takes. Whoever asks for it ends it. */
  connect(): Redis
}

/** Milliseconds that a first answer may take. */
const firstAnswer = 5000

/**
 * @param address `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, or `rediss://` for an encrypted way; a password that is not in it is taken
 *   from `REDIS_PASSWORD`
 * @param notice told when Redis goes away, and when it is back
 * @throws InputError `queue.not-installed`, `queue.bad-address`, `queue.password`, `queue.old-redis`; ServiceError `queue.unreachable`
 */
export async function connectRedis(address: string, notice: (sentence: string) => void): Promise<RedisConnection> {
  const { options, place } = readAddress(address)
  const [bullmq, { Redis }] = await Promise.all([import("bullmq"), import("ioredis")]).catch((cause) => {
    throw new InputError("queue.not-installed", "A queue needs two packages more: npm install bullmq@^6 ioredis@^6.", { cause })
  })
  const first = new Redis({
    ...options,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: firstAnswer,
  })
  let reason: unknown
  first.on("error", (error) => {
    reason = error
  })
  try {
    await first.connect()
    await first.ping()
    // Where a server that others look after does not tell, it is taken to be fit.
    checkServer(await first.info().catch(() => ""), place, notice)
  } catch (error) {
    throw isPrompt2ModelError(error) ? error : explainRefusal(reason ?? error, place)
  } finally {
    first.disconnect()
  }
  let isAway = false
  const watch = (connection: Redis) => {
    connection.on("error", () => {
      if (isAway) return
      isAway = true
      notice(`Redis at ${place} does not answer: what runs goes on, and the rest waits for it.`)
    })
    connection.on("ready", () => {
      if (isAway) notice(`Redis at ${place} answers again.`)
      isAway = false
    })
    return connection
  }
  const connect = () => watch(new Redis({ ...options, maxRetriesPerRequest: null, retryStrategy: (times) => Math.min(2000, 100 * times) }))
  return { bullmq, place, connect }
}

function readAddress(address: string): { options: RedisOptions; place: string } {
  let url: URL | undefined
  try {
    url = new URL(address)
  } catch {}
  const database = url?.pathname.replace(/^\//, "") || "0"
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || !/^\d+$/.test(database))
    throw new InputError("queue.bad-address", "The address of Redis must look like redis://:PASSWORD@HOST:6379.")
  const host = url.hostname.replace(/^\[|\]$/g, "")
  const port = url.port === "" ? 6379 : Number(url.port)
  return {
    place: `${url.hostname}:${port}`,
    options: {
      ...{ host, port, db: Number(database) },
      username: decodeURIComponent(url.username) || undefined,
      password: decodeURIComponent(url.password) || process.env.REDIS_PASSWORD || undefined,
      tls: url.protocol === "rediss:" ? {} : undefined,
    },
  }
}

/** What the queue's scripts need, and that Redis throws nothing away. */
function checkServer(info: string, place: string, notice: (sentence: string) => void): void {
  const [, major, minor] = /redis_version:(\d+)\.(\d+)/.exec(info) ?? []
  if (Number(major) < 6 || (Number(major) === 6 && Number(minor) < 2))
    throw new InputError("queue.old-redis", `Redis at ${place} is version ${major}.${minor}: a queue needs 6.2 or newer.`)
  const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1] ?? "noeviction"
  if (policy !== "noeviction" && !/maxmemory:0\r?$/m.test(info))
    notice(
      `Redis at ${place} throws keys away when it is full: set maxmemory-policy noeviction, or cells may be forgotten and put in again.`,
    )
}

/** The thrown error holds the command, and so the password: only its sentence is kept. */
function explainRefusal(error: unknown, place: string): InputError | ServiceError {
  const sentence = error instanceof Error ? error.message : String(error)
  const cause = new Error(sentence)
  if (/WRONGPASS|NOAUTH|invalid password|AUTH/i.test(sentence))
    return new InputError(
      "queue.password",
      `Redis at ${place} refuses the password: give the right one in redis://:PASSWORD@HOST:PORT, or in REDIS_PASSWORD.`,
      { cause },
    )
  return new ServiceError(
    "queue.unreachable",
    `No Redis answers at ${place}: start redis-server there, or correct the address (redis, --redis).`,
    {
      cause,
      isRetryable: true,
    },
  )
}

// A server that answers as the Hugging Face Hub does, for tests without a network: its listings, files, redirects to another origin, ranges,
// gates and failures. Forms as its client (@huggingface/hub) and the dataset viewer's documentation have them.
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

export interface HubRepository {
  readonly id: string
  /** Members of the listing beside id, downloads, likes and dates. */
  readonly info?: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, Uint8Array | string>>
  /** Files of a model that lie in large-file storage, on another origin. */
  readonly large?: readonly string[]
  /** Parquet conversions of a dataset: configuration, split, files. */
  readonly parquet?: Readonly<Record<string, Readonly<Record<string, readonly Uint8Array[]>>>>
  /** Files on other branches than the first. */
  readonly branches?: Readonly<Record<string, Readonly<Record<string, Uint8Array | string>>>>
  /** Names that it had before. */
  readonly formerly?: readonly string[]
}

/** What goes wrong with the next request whose address has `on` in it. */
export type Fault = { readonly on: string } & (
  | { readonly status: number; readonly headers?: Record<string, string> }
  | { readonly truncateAt: number }
  | { readonly corrupt: true }
  | { readonly text: string }
  | { readonly hangUp: true }
  /** The file was replaced: another mark, and other bytes. */
  | { readonly etag: string }
  /** The whole file for whatever range. */
  | { readonly ignoresRange: true }
)

export const commit = "0123456789abcdef0123456789abcdef01234567"
export const token = "hf_testtokenfortests"

export interface HubServer {
  readonly endpoint: string
  /** `METHOD path` of every request, with the origin it came to (`hub` or `store`) and whether it had the token. */
  readonly requests: { readonly to: "hub" | "store"; readonly line: string; readonly range?: string; readonly hasToken: boolean }[]
  readonly faults: Fault[]
  close(): Promise<void>
}

export async function startHubServer(content: {
  datasets?: readonly HubRepository[]
  models?: readonly HubRepository[]
}): Promise<HubServer> {
  const requests: HubServer["requests"] = []
  const faults: Fault[] = []
  const hub = createServer((request, response) => answer("hub", request, response))
  const store = createServer((request, response) => answer("store", request, response))
  const [hubOrigin, storeOrigin] = await Promise.all([listen(hub), listen(store)])

  function answer(to: "hub" | "store", request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? "/", hubOrigin)
    const path = decodeURIComponent(url.pathname)
    const hasToken = request.headers.authorization === `Bearer ${token}`
    requests.push({ to, line: `${request.method} ${path}${url.search}`, range: request.headers.range, hasToken })
    const at = faults.findIndex(({ on }) => `${to} ${path}${url.search}`.includes(on))
    const [fault] = at < 0 ? [] : faults.splice(at, 1)
    if (fault && "hangUp" in fault) return void request.socket.destroy()
    if (fault && "status" in fault) return void response.writeHead(fault.status, fault.headers).end("{}")
    if (fault && "text" in fault) return void response.writeHead(200, { "content-type": "application/json" }).end(fault.text)
    if (to === "store") return sendBytes(storedAt(path), request, response, fault)
    const former = formerIn(path)
    if (former) return void response.writeHead(307, { location: `${path.replace(former[0], former[1])}${url.search}` }).end()
    const found = route(path, url.searchParams, hasToken)
    if (found.redirect) return void response.writeHead(302, { location: found.redirect }).end()
    if (found.bytes) return sendBytes(found.bytes, request, response, fault)
    const body = JSON.stringify(found.json)
    response.writeHead(found.status ?? 200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...found.headers,
    })
    if (fault && "truncateAt" in fault) return void response.write(body.slice(0, fault.truncateAt), () => response.destroy())
    response.end(body)
  }

  function formerIn(path: string): readonly [string, string] | undefined {
    const all = [...(content.datasets ?? []), ...(content.models ?? [])]
    const renamed = all.flatMap(({ id, formerly = [] }) => formerly.map((name) => [`/${name}/`, `/${id}/`] as const))
    return renamed.find(([name]) => `${path}/`.includes(name))
  }

  function storedAt(path: string): Uint8Array {
    for (const [kind, repositories] of Object.entries(content)) {
      for (const { id, files, parquet } of repositories ?? []) {
        if (path.startsWith(`/${kind}/${id}/files/`)) return bytesOf(files![path.slice(`/${kind}/${id}/files/`.length)])
        const [, configuration, split, shard] = new RegExp(`^/${kind}/${id}/parquet/([^/]+)/([^/]+)/(\\d+)$`).exec(path) ?? []
        if (shard) return parquet![configuration][split][Number(shard)]
      }
    }
    throw new Error(`nothing is stored at ${path}`)
  }

  interface Answer {
    status?: number
    json?: unknown
    headers?: Record<string, string>
    redirect?: string
    bytes?: Uint8Array
  }

  const missing: Answer = { status: 404, json: { error: "Repository not found" }, headers: { "X-Error-Code": "RepoNotFound" } }

  function route(path: string, query: URLSearchParams, hasToken: boolean): Answer {
    const list = /^\/api\/(datasets|models)$/.exec(path)
    if (list) return listing(content[list[1] as "datasets" | "models"] ?? [], list[1], query)
    for (const kind of ["datasets", "models"] as const) {
      for (const repository of content[kind] ?? []) {
        const found = routeInside(repository, kind, path, hasToken, query)
        if (found) return found
      }
    }
    return hasToken ? missing : { ...missing, status: 401, json: { error: "Invalid username or password." } }
  }

  function listing(repositories: readonly HubRepository[], kind: string, query: URLSearchParams): Answer {
    const words = query.get("search")?.toLowerCase()
    const tags = query.getAll("filter")
    const fits = repositories.filter(
      ({ id, info }) =>
        (!words || id.toLowerCase().includes(words)) && tags.every((tag) => (info?.tags as string[] | undefined)?.includes(tag)),
    )
    if (query.get("sort") === "lastModified") fits.sort((one, other) => (changeOf(one) < changeOf(other) ? 1 : -1))
    // One entry a page, so that the client must follow the links.
    const page = Number(query.get("cursor") ?? 0)
    const next = new URLSearchParams(query)
    next.set("cursor", String(page + 1))
    const headers = page + 1 < fits.length ? { Link: `<${hubOrigin}/api/${kind}?${next}>; rel="next"` } : undefined
    return { json: fits.slice(page, page + 1).map((repository) => describe(repository, query.getAll("expand"))), headers }
  }

  function routeInside(
    repository: HubRepository,
    kind: "datasets" | "models",
    path: string,
    hasToken: boolean,
    query: URLSearchParams,
  ): Answer | undefined {
    const { id, info, files = {}, large = [], parquet, branches = {} } = repository
    const isClosed = Boolean(info?.gated || info?.private) && !hasToken
    const gate: Answer = {
      status: info?.private ? 404 : 401,
      json: { error: `Access to ${id} is restricted.` },
      headers: { "X-Error-Code": "GatedRepo" },
    }
    const [api, web] = [`/api/${kind}/${id}`, `/${kind === "datasets" ? "datasets/" : ""}${id}`]
    if (path === `${api}/revision/HEAD`) return { json: describe(repository, ["sha", ...query.getAll("expand")]) }
    if (path.startsWith(`${api}/tree/`)) {
      const branch = path.slice(`${api}/tree/`.length)
      const there = branches[branch] ?? (branch.startsWith("refs/") ? undefined : files)
      if (!there) return { status: 404, json: { error: "Invalid rev id" }, headers: { "X-Error-Code": "RevisionNotFound" } }
      return { json: Object.entries(there).map(([name, data]) => treeEntry(name, bytesOf(data), large.includes(name))) }
    }
    if (path.startsWith(`${api}/parquet`)) {
      if (isClosed) return gate
      if (!parquet) return { status: 404, json: { error: "No Parquet files" } }
      if (path === `${api}/parquet`) return { json: parquetListing(id, parquet) }
      const [configuration, split, shard] = path.slice(`${api}/parquet/`.length).split("/")
      return { redirect: `${storeOrigin}/datasets/${id}/parquet/${configuration}/${split}/${shard.replace(".parquet", "")}` }
    }
    if (path.startsWith(`${web}/resolve/`)) {
      if (isClosed) return gate
      const place = path.slice(`${web}/resolve/`.length)
      const branch = Object.keys(branches).find((one) => place.startsWith(`${one}/`))
      if (branch) return { bytes: bytesOf(branches[branch][place.slice(branch.length + 1)]) }
      const name = place.split("/").slice(1).join("/")
      if (!(name in files)) return { status: 404, json: { error: "Entry not found" }, headers: { "X-Error-Code": "EntryNotFound" } }
      return large.includes(name) ? { redirect: `${storeOrigin}/${kind}/${id}/files/${name}` } : { bytes: bytesOf(files[name]) }
    }
    return undefined
  }

  return {
    endpoint: hubOrigin,
    requests,
    faults,
    async close() {
      await Promise.all([hub, store].map((server) => new Promise((done) => server.close(done).closeAllConnections())))
    },
  }
}

function changeOf({ info }: HubRepository): string {
  return String(info?.lastModified ?? "2024-01-01T00:00:00.000Z")
}

function describe({ id, info }: HubRepository, expand: readonly string[]) {
  const { private: isPrivate = false, gated = false, downloads = 10, lastModified, ...rest } = info ?? {}
  const always = {
    _id: "621ffdd236468d709f181d58",
    id,
    private: isPrivate,
    gated,
    downloads,
    likes: 1,
    lastModified: changeOf({ id, info }),
  }
  const all: Record<string, unknown> = { ...rest, sha: commit }
  return { ...always, ...Object.fromEntries(expand.filter((name) => name in all).map((name) => [name, all[name]])) }
}

function treeEntry(path: string, bytes: Uint8Array, isLarge: boolean) {
  const size = bytes.length
  if (!isLarge) return { type: "file", path, size, oid: createHash("sha1").update(`blob ${size}\0`).update(bytes).digest("hex") }
  return {
    type: "file",
    path,
    size,
    oid: "f".repeat(40),
    lfs: { oid: createHash("sha256").update(bytes).digest("hex"), size, pointerSize: 134 },
  }
}

/** The listing names huggingface.co, whichever server it comes from. */
function parquetListing(id: string, parquet: NonNullable<HubRepository["parquet"]>) {
  const address = (configuration: string, split: string, shard: number) =>
    `https://huggingface.co/api/datasets/${id}/parquet/${configuration}/${split}/${shard}.parquet`
  return Object.fromEntries(
    Object.entries(parquet).map(([configuration, splits]) => [
      configuration,
      Object.fromEntries(
        Object.entries(splits).map(([split, files]) => [split, files.map((_, shard) => address(configuration, split, shard))]),
      ),
    ]),
  )
}

function sendBytes(whole: Uint8Array, request: IncomingMessage, response: ServerResponse, fault: Fault | undefined) {
  const wanted = fault && "ignoresRange" in fault ? undefined : request.headers.range
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(wanted ?? "") ?? []
  const start = Number(from ?? 0)
  const end = Math.min(to ? Number(to) + 1 : whole.length, whole.length)
  const bytes = Buffer.from(whole.subarray(start, end))
  const etag = fault && "etag" in fault ? fault.etag : `"${createHash("sha1").update(whole).digest("hex")}"`
  const headers = { etag, "content-length": bytes.length, "accept-ranges": "bytes" }
  if (from === undefined) response.writeHead(200, headers)
  else response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${end - 1}/${whole.length}` })
  if (fault && ("corrupt" in fault || "etag" in fault)) bytes[bytes.length >> 1] ^= 255
  if (fault && "truncateAt" in fault) return void response.write(bytes.subarray(0, fault.truncateAt), () => response.destroy())
  response.end(bytes)
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === "string" ? Buffer.from(data) : data
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

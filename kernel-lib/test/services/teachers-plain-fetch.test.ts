// The way that requests to teachers take: it must do what Node's fetch does wherever a server can tell.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import { afterEach, expect, test } from "vitest"
import { plainFetch } from "../../src/services/teachers/plain-fetch"

const open: (() => void)[] = []
afterEach(() => {
  for (const close of open.splice(0)) close()
})

async function serve(answer: (request: IncomingMessage, response: ServerResponse, text: string) => void): Promise<string> {
  const server = createServer(async (request, response) => {
    let text = ""
    for await (const chunk of request) text += chunk
    answer(request, response, text)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  open.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const post = (url: string, body = "{}", signal?: AbortSignal) =>
  plainFetch(url, { method: "POST", headers: { "content-type": "application/json", "X-Own": "1" }, body, signal })

test("sends method, headers and text, and brings back status, headers and text, over one connection", async () => {
  const ports = new Set<number | undefined>()
  const url = await serve((request, response, text) => {
    ports.add(request.socket.remotePort)
    response.writeHead(429, { "retry-after": "3", "set-cookie": ["a", "b"] })
    response.end(JSON.stringify({ method: request.method, own: request.headers["x-own"], length: request.headers["content-length"], text }))
  })
  for (let times = 0; times < 3; times++) {
    const answer = await post(url, "größer 😀")
    expect([answer.status, answer.ok, answer.headers.get("retry-after")]).toEqual([429, false, "3"])
    expect(await answer.json()).toEqual({ method: "POST", own: "1", length: "13", text: "größer 😀" })
  }
  expect(ports.size).toBe(1)
})

test.each([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
])("unpacks %s, which nobody asked for", async (encoding, pack) => {
  const url = await serve((_, response) => response.writeHead(200, { "content-encoding": encoding }).end(pack('\ufeff{"a":"ö"}')))
  expect(await (await post(url)).json()).toEqual({ a: "ö" })
})

test("follows where it is sent", async () => {
  const url = await serve((request, response, text) => {
    if (request.url === "/old") response.writeHead(307, { location: "/new" }).end()
    else response.end(`${request.method} ${request.url} ${text}`)
  })
  expect(await (await post(`${url}/old`, "body")).text()).toBe("POST /new body")
})

test("rejects where the answer breaks off, where nobody answers, and when it is aborted before and meanwhile", async () => {
  const broken = await serve((_, response) => {
    response.writeHead(200, { "content-length": "100" }).write("half")
    setImmediate(() => response.destroy())
  })
  await expect(post(broken)).rejects.toMatchObject({ code: "ECONNRESET" })
  await expect(post("http://127.0.0.1:1")).rejects.toMatchObject({ code: "ECONNREFUSED" })
  const controller = new AbortController()
  const silent = await serve(() => controller.abort(new Error("enough")))
  await expect(post(silent, "{}", controller.signal)).rejects.toThrow("enough")
  await expect(post(silent, "{}", controller.signal)).rejects.toThrow("enough")
})

test("leaves what has no text to fetch itself", async () => {
  const url = await serve((request, response) => response.end(request.method))
  expect(await (await plainFetch(url)).text()).toBe("GET")
})

test("asks again at once where the server closes a connection that was to stay open, and only then", async () => {
  const seen = new Map<object, number>()
  const url = await serve((request, response) => {
    const times = (seen.get(request.socket) ?? 0) + 1
    seen.set(request.socket, times)
    if (request.url === "/never" || times === 2) request.socket.destroy()
    else response.end("fine")
  })
  for (let times = 0; times < 4; times++) expect(await (await post(url)).text()).toBe("fine")
  expect([...seen.values()]).toEqual([2, 2, 2, 1])
  await expect(post(`${url}/never`)).rejects.toMatchObject({ code: "ECONNRESET" })
  expect([...seen.values()]).toEqual([2, 2, 2, 2, 1])
})

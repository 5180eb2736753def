// A proxy as hubs have one: it hands HTTP and web sockets on to a server, under whatever name the browser called it by.
import { once } from "node:events"
import { createServer, request } from "node:http"
import { type AddressInfo, connect } from "node:net"

export interface ReverseProxy {
  readonly port: number
  close(): void
}

export async function startReverseProxy(target: number): Promise<ReverseProxy> {
  const server = createServer((asked, response) => {
    const { method, url, headers } = asked
    const onward = request({ host: "127.0.0.1", port: target, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on("error", () => response.destroy())
    asked.pipe(onward)
  })
  server.on("upgrade", ({ method, url, rawHeaders }, socket, head) => {
    const onward = connect(target, "127.0.0.1", () => {
      const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []))
      onward.write(`${method} ${url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`)
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
    onward.on("error", () => socket.destroy())
    socket.on("error", () => onward.destroy())
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

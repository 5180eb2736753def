// A worker of BullMQ alone: its jobs do nothing. Its word is JSON: `{ port, password, name }`.
import { Worker } from "bullmq"

const { port, password, name } = JSON.parse(process.argv[2])
const worker = new Worker(name, async () => {}, { connection: { host: "127.0.0.1", port, password } })
await worker.waitUntilReady()
console.log("ready")

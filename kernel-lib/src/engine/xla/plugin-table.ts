// PJRT's C API (pjrt_c_api.h) as calls with named fields. A plug-in answers one table of functions; each takes the address of one struct
// whose members are all eight bytes wide, some to be filled in by the caller and some by the plug-in, and answers an error or nothing.
import { EngineError } from "../../core/errors"

export type Koffi = typeof import("koffi")
/** Where something lies in the plug-in's memory, or one of its objects. */
export type Address = bigint

/** Each function's slot in the table, and its struct's members behind the size and the extensions. Slots and members are append-only. */
const functions = {
  Error_Destroy: [0, ["error"]],
  Error_Message: [1, ["error", "message", "messageSize"]],
  Error_GetCode: [2, ["error", "code"]],
  Plugin_Initialize: [3, []],
  Event_Destroy: [5, ["event"]],
  Event_Await: [8, ["event"]],
  Client_Create: [10, ["options", "numOptions", "get", "getArgument", "put", "putArgument", "client", "tryGet", "tryGetArgument"]],
  Client_Destroy: [11, ["client"]],
  Client_PlatformName: [12, ["client", "name", "nameSize"]],
  Client_PlatformVersion: [14, ["client", "version", "versionSize"]],
  Client_AddressableDevices: [16, ["client", "devices", "numDevices"]],
  Client_Compile: [20, ["client", "program", "options", "optionsSize", "executable"]],
  Client_BufferFromHostBuffer: [
    22,
    [
      ...(["client", "data", "type", "dims", "numDims", "strides", "numStrides", "semantics"] as const),
      ...(["device", "memory", "layout", "doneEvent", "buffer"] as const),
    ],
  ],
  DeviceDescription_Kind: [26, ["description", "kind", "kindSize"]],
  Device_GetDescription: [29, ["device", "description"]],
  Device_MemoryStats: [34, ["device", "inUse", "peakInUse", "isPeakKnown", ...unused(18)]],
  Executable_Destroy: [40, ["executable"]],
  Executable_NumOutputs: [44, ["executable", "numOutputs"]],
  Executable_Serialize: [49, ["executable", "bytes", "bytesSize", "serialized", "deleter"]],
  LoadedExecutable_Destroy: [50, ["executable"]],
  LoadedExecutable_GetExecutable: [51, ["loaded", "executable"]],
  LoadedExecutable_Execute: [
    55,
    ["executable", "options", "argumentLists", "numDevices", "numArguments", "outputLists", "completeEvents", "device"],
  ],
  Executable_DeserializeAndLoad: [56, ["client", "bytes", "bytesSize", "loaded", "options", "optionsSize"]],
  Buffer_Destroy: [58, ["buffer"]],
  Buffer_ElementType: [59, ["buffer", "type"]],
  Buffer_Dimensions: [60, ["buffer", "dims", "numDims"]],
  Buffer_ToHostBuffer: [70, ["buffer", "layout", "destination", "destinationSize", "event"]],
} as const satisfies Record<string, readonly [slot: number, members: readonly string[]]>

function unused(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `unused${index}`)
}

export type FunctionName = keyof typeof functions
type Member<Name extends FunctionName> = (typeof functions)[Name][1][number]
/** Addresses and numbers as they are; of an array, its address. */
type Field = Address | number | ArrayBufferView
type Fields<Name extends FunctionName> = Partial<Readonly<Record<Member<Name>, Field>>>
/** A call's members as the plug-in left them. */
export type Answer<Name extends FunctionName> = (member: Member<Name>) => bigint

/** struct PJRT_Api { size, extensions, version { size, extensions, int major, int minor }, functions ... } */
const places = { version: 32, functions: 40 } as const
const numSlots = 1 + Math.max(...Object.values(functions).map(([slot]) => slot))
/** Interfaces of this minor version know all that is used here. */
const oldest = { major: 0, minor: 50 } as const
/** What a size of the table that makes sense is below. */
const largestTable = 1 << 16
/** Room behind each struct: a plug-in that knows more members than we do writes nowhere else. */
const spareWords = 8
const wordBytes = 8

export class PluginTable {
  readonly version: { readonly major: number; readonly minor: number }
  private readonly native: Readonly<Record<string, NativeFunction>>
  /** Structs of calls that are under way: the garbage collector does not see the plug-in's addresses. */
  private readonly held = new Set<object>()
  /** What the addresses in a struct are of, which lives as long as the struct. */
  private readonly parts = new WeakMap<object, unknown>()

  /**
   * @param table what GetPjrtApi answered
   * @throws EngineError `engine.xla-broken`, `engine.xla-too-old`
   */
  constructor(
    private readonly koffi: Koffi,
    table: Address,
    file: string,
  ) {
    const size = table ? Number(koffi.decode(table, "uint64_t")) : 0
    if (size < places.functions || size > largestTable) {
      throw new EngineError("engine.xla-broken", `${file} answers no PJRT table: install the plug-in again.`)
    }
    const [major, minor] = koffi.decode(table, places.version, koffi.array("int32_t", 2)) as number[]
    this.version = { major, minor }
    const isKnown = major === oldest.major && minor >= oldest.minor && size >= places.functions + numSlots * wordBytes
    if (!isKnown) {
      throw new EngineError(
        "engine.xla-too-old",
        `${file} speaks PJRT ${major}.${minor}, and 0.${oldest.minor} or a later 0.x is needed: install a current version of the plug-in.`,
      )
    }
    const prototype = koffi.proto("void* (void* arguments)")
    this.native = Object.fromEntries(
      Object.entries(functions).map(([name, [slot]]) => {
        const address = koffi.decode(table, places.functions + slot * wordBytes, "void*")
        if (!address) throw new EngineError("engine.xla-too-old", `${file} has no ${name}: install a current version of the plug-in.`)
        return [name, koffi.decode(address, prototype) as NativeFunction]
      }),
    )
  }

  /** @throws EngineError in the plug-in's own words, with a remedy */
  call<Name extends FunctionName>(name: Name, fields: Fields<Name>): Answer<Name> {
    const words = this.layOut(name, fields)
    this.held.add(words)
    try {
      this.check(name, this.native[name](words))
      return readWords(name, words)
    } finally {
      this.held.delete(words)
    }
  }

  /**
   * The same on a thread of its own; nothing that it reads or writes may be detached before it ends.
   * @param alsoHeld what else the plug-in reads or writes until then
   */
  callAsync<Name extends FunctionName>(name: Name, fields: Fields<Name>, alsoHeld: object = fields): Promise<Answer<Name>> {
    const words = this.layOut(name, fields)
    this.held.add(words).add(alsoHeld)
    return new Promise((resolve, reject) => {
      this.native[name].async(words, (error: unknown, result: unknown) => {
        this.held.delete(words)
        this.held.delete(alsoHeld)
        try {
          if (error) throw error
          this.check(name, result)
          resolve(readWords(name, words))
        } catch (failure) {
          reject(failure)
        }
      })
    })
  }

  /** Runs `body`, during which the plug-in may read and write what `fields` names. */
  hold<Result>(fields: object, body: () => Result): Result {
    this.held.add(fields)
    try {
      return body()
    } finally {
      this.held.delete(fields)
    }
  }

  private addressOf(view: ArrayBufferView): Address {
    return view.byteLength === 0 ? 0n : this.koffi.address(view)
  }

  /** A copy of bytes in the plug-in's memory. @throws EngineError `engine.xla-broken` for sizes that make no sense */
  readBytes(address: Address, size: bigint, most: number): Uint8Array<ArrayBuffer> {
    if (size > BigInt(most) || (size > 0n && address === 0n)) {
      throw new EngineError("engine.xla-broken", `The PJRT plug-in answers ${size} bytes where there can be none: install it again.`)
    }
    return size === 0n ? new Uint8Array(0) : new Uint8Array(this.koffi.view(address, Number(size))).slice()
  }

  readText(address: Address, size: bigint): string {
    return Buffer.from(this.readBytes(address, size, longestText)).toString("utf8")
  }

  readWords(address: Address, count: bigint): BigUint64Array {
    return new BigUint64Array(this.readBytes(address, count * BigInt(wordBytes), longestText).buffer)
  }

  /** Calls a function of the plug-in's own, such as one that frees what it made. */
  callBack(address: Address, argument: Address): void {
    if (address) this.koffi.call(address, this.koffi.proto("void (void* argument)"), argument)
  }

  /** The words of a struct: its size, no extensions, then its members. */
  struct(members: readonly Field[]): BigUint64Array {
    const words = new BigUint64Array(new ArrayBuffer((members.length + 2 + spareWords) * wordBytes))
    words[0] = BigInt((members.length + 2) * wordBytes)
    members.forEach((member, index) => {
      words[index + 2] = typeof member === "object" ? this.addressOf(member) : BigInt(member)
    })
    this.parts.set(words, members)
    return words
  }

  /** An array with the address of `view` in it. */
  pointerTo(view: ArrayBufferView): BigUint64Array {
    const pointer = BigUint64Array.of(this.addressOf(view))
    this.parts.set(pointer, view)
    return pointer
  }

  private layOut<Name extends FunctionName>(name: Name, fields: Fields<Name>): BigUint64Array {
    const members: readonly string[] = functions[name][1]
    return this.struct(members.map((member) => (fields as Record<string, Field>)[member] ?? 0n))
  }

  private check(name: FunctionName, result: unknown): void {
    const error = result as Address | null
    if (!error) return
    const words = this.layOut("Error_Message", { error })
    this.native.Error_Message(words)
    const answer = readWords("Error_Message", words)
    const message = this.readText(answer("message"), answer("messageSize"))
    const codeWords = this.layOut("Error_GetCode", { error })
    const code = this.native.Error_GetCode(codeWords) ? 0n : readWords("Error_GetCode", codeWords)("code")
    this.native.Error_Destroy(this.layOut("Error_Destroy", { error }))
    throw describeFailure(name, Number(code & 0xffffffffn), message)
  }
}

type NativeFunction = ((words: BigUint64Array) => unknown) & { async: (...parameters: unknown[]) => void }

const longestText = 1 << 20

function readWords<Name extends FunctionName>(name: Name, words: BigUint64Array): Answer<Name> {
  const members: readonly string[] = functions[name][1]
  return (member) => words[2 + members.indexOf(member as string)]
}

/** RESOURCE_EXHAUSTED */
const exhausted = 8

export function describeFailure(name: string, code: number, message: string): EngineError {
  if (code === exhausted || /out of memory|RESOURCE_EXHAUSTED/i.test(message)) {
    return new EngineError(
      "engine.out-of-memory",
      "Not enough memory on the device for this graph: use smaller batches or shorter texts.",
      {
        cause: message,
      },
    )
  }
  const short = message.split("\n")[0].trim()
  return new EngineError("engine.xla-failed", `The PJRT plug-in refused (${name}): ${short || `code ${code}`}`, { cause: message })
}

// A tree of n-grams: nodes are numbers, edges are looked up by (node, symbol) in one open-addressed hash table that is cleared in no time.

/** Nodes with counts; `clear` starts anew and keeps the memory. */
export class NgramTree {
  /** How often each node's n-gram is left. */
  counts = new Int32Array(1024)
  private numNodes = 0
  private generation = 1
  private numEdges = 0
  // One slot of the table: node, symbol, child, and the generation that wrote it.
  private nodes = new Int32Array(4096)
  private symbols = new Int32Array(4096)
  private children = new Int32Array(4096)
  private writtenIn = new Int32Array(4096)

  clear(): void {
    this.generation++
    this.numNodes = 0
    this.numEdges = 0
  }

  /** A node without a parent. */
  newRoot(): number {
    return this.newNode()
  }

  /** The child of `node` by `symbol`, or -1. */
  find(node: number, symbol: number): number {
    const slot = this.slotOf(node, symbol)
    return this.writtenIn[slot] === this.generation ? this.children[slot] : -1
  }

  /** The child of `node` by `symbol`, made where it is not there. */
  findOrAdd(node: number, symbol: number): number {
    const slot = this.slotOf(node, symbol)
    if (this.writtenIn[slot] === this.generation) return this.children[slot]
    const child = this.newNode()
    this.nodes[slot] = node
    this.symbols[slot] = symbol
    this.children[slot] = child
    this.writtenIn[slot] = this.generation
    this.numEdges++
    if (this.numEdges * 2 > this.nodes.length) this.growTable()
    return child
  }

  private newNode(): number {
    if (this.numNodes === this.counts.length) {
      const grown = new Int32Array(2 * this.counts.length)
      grown.set(this.counts)
      this.counts = grown
    }
    this.counts[this.numNodes] = 0
    return this.numNodes++
  }

  /** The slot that holds this edge, or the free one where it belongs. */
  private slotOf(node: number, symbol: number): number {
    const mask = this.nodes.length - 1
    let hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(symbol, 0x85ebca6b)
    hash ^= hash >>> 15
    let slot = hash & mask
    while (this.writtenIn[slot] === this.generation && (this.nodes[slot] !== node || this.symbols[slot] !== symbol))
      slot = (slot + 1) & mask
    return slot
  }

  private growTable(): void {
    const { nodes, symbols, children, writtenIn, generation } = this
    const size = 2 * nodes.length
    this.nodes = new Int32Array(size)
    this.symbols = new Int32Array(size)
    this.children = new Int32Array(size)
    this.writtenIn = new Int32Array(size)
    for (let slot = 0; slot < nodes.length; slot++) {
      if (writtenIn[slot] !== generation) continue
      const place = this.slotOf(nodes[slot], symbols[slot])
      this.nodes[place] = nodes[slot]
      this.symbols[place] = symbols[slot]
      this.children[place] = children[slot]
      this.writtenIn[place] = generation
    }
  }
}

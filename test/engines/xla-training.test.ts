// Sessions on XLA: what they promise on the other engines, with state that stays on the device.
import { describe, expect, test } from "vitest"
import { casesOf } from "../../kernel-lib/test/engine/engine-cases"
import { forwardCases } from "../../kernel-lib/test/engine/forward-cases"
import { makeBatch, startTraining } from "../../kernel-lib/test/engine/tiny-translator"
import { trainingCases } from "../../kernel-lib/test/engine/training-cases"
import { trainingFaultCases } from "../../kernel-lib/test/engine/training-fault-cases"
import { label, plugin, pluginFile, xla } from "./xla"

describe.skipIf(!pluginFile)(label, () => {
  for (const { name, check } of casesOf("xla", [...trainingCases, ...trainingFaultCases])) test(name, () => check(xla))

  describe("a forward session", () => {
    for (const { name, check } of casesOf("xla", forwardCases)) test(name, () => check(xla))
  })

  test("a signal ends the wait for the compiler, and the next step goes on", async () => {
    const [session, other] = [startTraining(xla), startTraining(xla)]
    const batch = makeBatch(0, { rows: 4 })
    for (const work of [
      session.step.bind(session, [batch, batch]),
      session.evaluate.bind(session, batch),
      session.step.bind(session, batch),
    ]) {
      const controller = new AbortController()
      setTimeout(() => controller.abort(), 1)
      const promise = work({ learningRate: 0.01, signal: controller.signal } as never)
      await expect(promise).rejects.toMatchObject({ code: "engine.cancelled" })
    }
    expect(session.stepsTaken).toBe(0)
    const options = { learningRate: 0.01 }
    expect(await session.step(batch, options)).toEqual(await other.step(batch, options))
    for (const each of [session, other]) each.dispose()
  })

  test("says which device it computes on", () => {
    expect(xla.name).toBe("xla")
    expect(xla.runtime).toContain(plugin.platform)
    expect(plugin.devices.length).toBeGreaterThan(0)
  })
})

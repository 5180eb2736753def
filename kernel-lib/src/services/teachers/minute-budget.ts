// At most so much in any sixty seconds: requests, or tokens. A sliding window, so that no minute, wherever it starts, has more.

interface Expense {
  readonly at: number
  amount: number
  isInWindow: boolean
}

export class MinuteBudget {
  private readonly expenses: Expense[] = []
  private spent = 0

  /** `window` is a minute, in milliseconds; tests take a shorter one. */
  constructor(
    private readonly most: number,
    private readonly window = 60_000,
  ) {}

  /** Milliseconds from `now` until `amount` may be spent; 0 for at once. An amount above the whole budget waits for an empty window. */
  waitFor(amount: number, now: number): number {
    this.forget(now)
    let left = this.spent
    if (left + amount <= this.most || left <= 0) return 0
    for (const expense of this.expenses) {
      left -= expense.amount
      if (left + amount <= this.most || left <= 0) return Math.max(1, expense.at + this.window - now)
    }
    return 0
  }

  /** Spends `amount`; the function that is answered corrects it once the true amount is known. */
  spend(amount: number, now: number): (trueAmount: number) => void {
    const expense = { at: now, amount, isInWindow: true }
    this.expenses.push(expense)
    this.spent += amount
    return (trueAmount) => {
      if (!expense.isInWindow) return
      this.spent += trueAmount - expense.amount
      expense.amount = trueAmount
    }
  }

  private forget(now: number): void {
    while (this.expenses.length > 0 && this.expenses[0].at + this.window <= now) {
      const expense = this.expenses.shift()!
      expense.isInWindow = false
      this.spent -= expense.amount
    }
  }
}

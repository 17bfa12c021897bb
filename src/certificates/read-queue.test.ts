import { describe, expect, it } from "vitest";

import { createReadQueue } from "./read-queue.ts";

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

describe("the queue of reads", () => {
  it("never runs more at once than it may, whatever comes in between", async () => {
    const queue = createReadQueue(2, 100);
    let running = 0;
    let most = 0;
    const task = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      if (Math.random() < 0.5) void queue.run("refresh", () => Promise.resolve());
    };
    await Promise.all(Array.from({ length: 50 }, () => queue.run("demand", task)));
    expect(most).toBe(2);
  });

  it("takes what a handshake waits for before what changed, and the background last", async () => {
    const queue = createReadQueue(1, 10);
    const first = gate();
    const order: string[] = [];
    const note = (name: string) => async (): Promise<void> => void order.push(name);
    const all = [queue.run("demand", () => first.opened)];
    all.push(queue.run("background", note("background")), queue.run("refresh", note("refresh")), queue.run("demand", note("demand")));
    expect(queue.busy).toBe(3);
    first.open();
    await Promise.all(all);
    expect(order).toEqual(["demand", "refresh", "background"]);
    expect(queue.busy).toBe(0);
  });

  it("refuses at once when too many wait, and goes on after a task that failed", async () => {
    const queue = createReadQueue(1, 1);
    const first = gate();
    const running = queue.run("demand", () => first.opened);
    const waiting = queue.run("demand", () => Promise.reject(new Error("broken file")));
    await expect(queue.run("demand", () => Promise.resolve())).rejects.toMatchObject({ code: "CERTIFICATES_OVERLOADED" });
    first.open();
    await running;
    await expect(waiting).rejects.toThrow("broken file");
    await expect(queue.run("demand", () => Promise.resolve(7))).resolves.toBe(7);
  });
});

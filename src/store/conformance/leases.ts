import { describe, expect, it } from "vitest";

import { systemClock } from "../../base/index.ts";
import type { FarmStore, Lease } from "../contract.ts";
import { text, skewed, type ConformancePlace } from "./place.ts";

/** Leases. */
export function describeLeases(place: ConformancePlace): void {
  const { open, openMany } = place;
  describe("leases", () => {
    const leaseOf = async (store: FarmStore, ttlMs: number, wait = false): Promise<Lease | undefined> =>
      store.state.lease("rollout", ttlMs, { signal: place.stop.signal, wait });
    const require = (lease: Lease | undefined): Lease => {
      if (lease === undefined) throw new Error("there is no lease");
      return lease;
    };
    /** Leaves a claim behind whose holder is dead. */
    const leaveDeadClaim = async (store: FarmStore, ttlMs: number): Promise<Lease> => {
      const lease = require(await leaseOf(store, ttlMs));
      const held = await store.state.read("leases/rollout");
      await lease.release();
      const released = await store.state.read("leases/rollout");
      await store.state.write("leases/rollout", held?.value ?? new Uint8Array(), released?.rev);
      return lease;
    };

    it("never has two holders, whatever their clocks show", async () => {
      const stores = await Promise.all([0, 3_600_000, -3_600_000].map((ms) => open(skewed(ms))));
      const fences: bigint[] = [];
      let holders = 0;
      const work = async (store: FarmStore): Promise<void> => {
        for (let round = 0; round < 4; round += 1) {
          const lease = require(await leaseOf(store, 400, true));
          holders += 1;
          expect(holders).toBe(1);
          expect(lease.lost.aborted).toBe(false);
          fences.push(lease.fence);
          await store.state.read("leases/rollout");
          expect(holders).toBe(1);
          holders -= 1;
          await lease.release();
        }
      };
      await Promise.all(stores.map(work));
      expect(fences).toHaveLength(12);
      expect(fences.every((fence, at) => at === 0 || fence > (fences[at - 1] ?? 0n))).toBe(true);
    });

    it("is kept by a living holder for many times its ttl", async () => {
      const [holder, other] = await openMany(2);
      if (holder === undefined || other === undefined) throw new Error("two handles were opened");
      const lease = require(await leaseOf(holder, 300));
      const untilMs = performance.now() + 1200;
      while (performance.now() < untilMs) {
        expect(await leaseOf(other, 300)).toBeUndefined();
        expect(lease.lost.aborted).toBe(false);
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
      await lease.release();
      expect(require(await leaseOf(other, 300)).fence).toBeGreaterThan(lease.fence);
    });

    it("goes to another when its holder died, not before the ttl is over", async () => {
      const [holder, other] = await openMany(2);
      if (holder === undefined || other === undefined) throw new Error("two handles were opened");
      const dead = await leaveDeadClaim(holder, 300);
      const startMs = performance.now();
      const lease = require(await leaseOf(other, 300, true));
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(300);
      expect(lease.fence).toBeGreaterThan(dead.fence);
    });

    it("tells a holder that somebody took it over, and its release does not end the successor's", async () => {
      const [holder, other] = await openMany(2);
      if (holder === undefined || other === undefined) throw new Error("two handles were opened");
      const lease = require(await leaseOf(holder, 300));
      const lost = new Promise((resolve) => lease.lost.addEventListener("abort", resolve));
      const claim = await other.state.read("leases/rollout");
      const successor = text(JSON.stringify({ owner: "successor", ttlMs: 60_000, fence: "99", counter: 0 }));
      const rev = await other.state.write("leases/rollout", successor, claim?.rev);
      await lost;
      await lease.release();
      expect((await other.state.read("leases/rollout"))?.rev).toBe(rev);
      expect(await leaseOf(other, 300)).toBeUndefined();
    });

    it("is lost before the next write of a holder that slept past its ttl", async () => {
      let sleptMs = 0;
      const store = await open({ now: () => systemClock.now(), monotonicMs: () => systemClock.monotonicMs() + sleptMs });
      const { lost } = require(await leaseOf(store, 60_000));
      await store.state.write("work/1", text("1"), undefined);
      expect(lost.aborted).toBe(false);
      sleptMs = 60_001;
      await store.state.write("work/2", text("2"), undefined);
      expect(lost.aborted).toBe(true);
    });

    it("is given back when the store closes", async () => {
      const [holder, other] = await openMany(2);
      if (holder === undefined || other === undefined) throw new Error("two handles were opened");
      const { lost } = require(await leaseOf(holder, 60_000));
      await holder.close();
      expect(lost.aborted).toBe(true);
      expect(await leaseOf(other, 300)).toBeDefined();
    });

    it("stops waiting when told to", async () => {
      const [holder, other] = await openMany(2);
      await holder?.state.lease("rollout", 60_000, { signal: place.stop.signal });
      const waiting = other?.state.lease("rollout", 60_000, { signal: AbortSignal.timeout(30), wait: true });
      await expect(waiting).rejects.toMatchObject({ code: "CANCELLED" });
    });
  });
}

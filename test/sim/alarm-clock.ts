import { VirtualClock } from "../../src/sim/virtual-clock.ts";

/** A virtual clock that tells when a moment has come. */
export class AlarmClock extends VirtualClock {
  alarm: { readonly atMs: number; readonly ring: () => void } | undefined;

  override advanceTo(toMs: number): void {
    super.advanceTo(toMs);
    const { alarm } = this;
    if (alarm === undefined || this.nowMs() < alarm.atMs) return;
    this.alarm = undefined;
    alarm.ring();
  }
}

// Servers that are nothing but what a balancer sees of them.
import type { Share } from '../../../src/gateway/servers/balance.ts';

export type Sketch = { readonly label: string; inFlightCount: number; hasRoom: boolean };

/** Idle servers with room, by name and weight. */
export function sharesOf(weights: Readonly<Record<string, number>>): Share<Sketch>[] {
  return Object.entries(weights).map(([label, weight]) => ({
    server: { label, inFlightCount: 0, hasRoom: true },
    weight,
  }));
}

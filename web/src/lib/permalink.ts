// The address that shows this very view again, by whoever opens it: a view of now is pinned to its instant.

import { formatView } from "./address";
import type { Store } from "./state.svelte";

export function permalinkOf(store: Store, origin: string): string {
  const asOf = store.view.asOf ?? store.now.answer?.meta.as_of ?? null;
  return origin + formatView({ ...store.view, instrument: store.instrument, asOf });
}

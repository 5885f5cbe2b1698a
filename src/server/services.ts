// What every handler works with, made once by the app.
import type { Config } from '../config/index.js';
import type { Logger } from '../log/index.js';
import type { Metrics } from '../metrics/index.js';
import type { ModelStore } from '../registry/index.js';
import type { RunnerPool } from '../runners/index.js';
import type { ActiveRequests } from './active-requests.js';
import type { ModelProfiles } from './model-profiles.js';
import type { WallClock } from './wall-clock.js';

export interface Services {
  readonly config: Config;
  readonly store: ModelStore;
  readonly pool: RunnerPool;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly profiles: ModelProfiles;
  readonly clock: WallClock;
  readonly active: ActiveRequests;
}

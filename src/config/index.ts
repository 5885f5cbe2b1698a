export {
  loadConfig,
  type Config,
  type GoTemplateChoice,
  type KvCacheType,
  type LogLevel,
  type ProviderChoice,
} from './config.js';
export { formatGoDuration, parseGoDuration } from './duration.js';
export { type Environment } from './environment.js';
export { clientUrl, formatHostPort, parseHost, type HostAddress } from './host.js';
export { parseKeepAlive } from './keep-alive.js';
export { configTable, type ConfigVariable, type ConfigVariableName } from './table.js';

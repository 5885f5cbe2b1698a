export { createLogger, type LogDestination, type Logger, type LoggerOptions } from './logger.js';

export { createApp, type AppDependencies } from './app.js';
export { startServer, type RunningServer, type ServerDependencies } from './start-server.js';
export { ollamaCompatibleVersion } from './version.js';
export { describeMachine, type MachineFacts } from './machine.js';

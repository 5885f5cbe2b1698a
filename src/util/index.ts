export { shortestSingle } from './shortest-single.js';

// Loaded when a connection is opened. A file of its own: bundled, import() of a CommonJS package gives only its default.
export { Redis } from 'ioredis';

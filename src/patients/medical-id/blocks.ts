/**
 * Numbers taken from the sequence at once: a thousand creates share one round trip. The sequence counts
 * blocks, so this is part of what every id ever given means: never change it.
 */
export const BLOCK = 1024;

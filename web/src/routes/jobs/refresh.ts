/** How often runs that the stream tells of are read anew at most, in milliseconds. */
export const REFRESH_MS = 2000;

import type { LivePage } from '../live/envelope';
import { get } from './client';

/** What has happened since a position; `address` has the query. */
export const getLivePage = (address: string): Promise<LivePage> => get<LivePage>(address);

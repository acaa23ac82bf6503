import { get, patch, path, post, remove } from './client';
import type { AlertChannels, AlertPage, AlertRule, Channel, KeptAlertRule, KeptSettings, UserSettings, Watchlist } from './schema/personal';
import type { Page } from './schema/vocabulary';

const named = (resource: string, id: string, part = ''): string => path(`${resource}/${encodeURIComponent(id)}${part}`);

export async function watchlists(signal?: AbortSignal): Promise<Watchlist[]> {
  return (await get<Page<Watchlist>>(path('/watchlists'), signal)).items;
}
export const addWatchlist = (name: string, symbols: string[]): Promise<Watchlist> => post(path('/watchlists'), { name, symbols });
export const changeWatchlist = ({ id, revision, name, symbols }: Watchlist): Promise<Watchlist> => patch(named('/watchlists', id), { revision, name, symbols });
export const removeWatchlist = (id: string): Promise<void> => remove(named('/watchlists', id));

export const keptSettings = (signal?: AbortSignal): Promise<KeptSettings> => get(path('/settings'), signal);
export const changeSettings = (revision: number, settings: UserSettings): Promise<KeptSettings> => patch(path('/settings'), { revision, settings });

/** The newest alerts, or the page that `cursor` names. */
export const alerts = (limit: number, cursor: string | null, signal?: AbortSignal): Promise<AlertPage> => get(path('/alerts', { limit, cursor }), signal);
export const readAlerts = (number: number): Promise<void> => post(path('/alerts/read'), { number });

export async function alertRules(signal?: AbortSignal): Promise<KeptAlertRule[]> {
  return (await get<Page<KeptAlertRule>>(path('/alerts/rules'), signal)).items;
}
export const addAlertRule = (rule: AlertRule): Promise<KeptAlertRule> => post(path('/alerts/rules'), rule);
export const changeAlertRule = (id: string, revision: number, rule: AlertRule): Promise<KeptAlertRule> => patch(named('/alerts/rules', id), { revision, rule });
export const removeAlertRule = (id: string): Promise<void> => remove(named('/alerts/rules', id));

export const alertChannels = (signal?: AbortSignal): Promise<AlertChannels> => get(path('/alerts/channels'), signal);
/** The key that signs webhooks is told once. */
export const setAlertChannel = (channel: Channel, address: string): Promise<{ webhook_key: string | null }> => post(named('/alerts/channels', channel), { address });
export const removeAlertChannel = (channel: Channel): Promise<void> => remove(named('/alerts/channels', channel));
export const testAlertChannel = (channel: Channel): Promise<void> => post(named('/alerts/channels', channel, '/test'), {});

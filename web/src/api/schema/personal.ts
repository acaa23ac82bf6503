import type { Horizon, Instant, Text } from './vocabulary';

// What belongs to who asks. The JSON is as the handlers of crates/server send it.

export interface Watchlist {
  id: string;
  /** How often it was written; a change names the one that was seen. */
  revision: number;
  name: string;
  symbols: string[];
}

export const CHANNELS = ['web', 'email', 'telegram', 'webhook'] as const;
export type Channel = (typeof CHANNELS)[number];

export interface UserSettings {
  language: 'tr' | 'en';
  theme: 'dark' | 'light';
  palette: 'classic' | 'cvd';
  highlight_change_share: number;
  confidence_share_min: number;
  horizon: Horizon;
  channels: Channel[];
}

export interface KeptSettings {
  /** Zero before anything was set. */
  revision: number;
  settings: UserSettings;
}

export const KINDS = ['price', 'change', 'volume_spike', 'signal_change', 'band_breach', 'data_quality', 'drift'] as const;
export type AlertKind = (typeof KINDS)[number];

export interface AlertCondition {
  kind: AlertKind;
  symbol?: string;
  horizon?: Horizon;
  direction?: 'up' | 'down';
  price?: string;
  change_share?: number;
  volume_multiple?: number;
  sessions_count?: number;
  score_share?: number;
}

export interface AlertRule {
  name: string;
  enabled: boolean;
  condition: AlertCondition;
  channels: Channel[];
  cool_down_minutes: number;
  quiet_hours: { from: string; to: string } | null;
}

export type Silence = 'no_bars' | 'stale_bars' | 'no_change' | 'too_few_volumes' | 'no_signal_before' | 'no_forecast' | 'not_validated' | 'no_drift_look';

export interface KeptAlertRule {
  id: string;
  revision: number;
  rule: AlertRule;
  state: { is_met: boolean | null; silence: Silence | null; fired_at: Instant | null; cools_until: Instant | null };
}

export interface AlertDelivery {
  channel: Channel;
  state: 'waiting' | 'delivered' | 'failed';
  attempts_count: number;
  due_at: Instant | null;
  problem: string | null;
}

export interface Alert {
  id: string;
  number: number;
  rule_name: string;
  symbol: string | null;
  fired_at: Instant;
  read_at: Instant | null;
  text: Text;
  deliveries: AlertDelivery[];
}

export interface AlertPage {
  items: Alert[];
  next: string | null;
  unread_count: number;
}

export interface AlertChannels {
  items: { channel: Channel; address: string; set_at: Instant }[];
  offered: Channel[];
}

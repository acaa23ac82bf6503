// Who may do what: sessions, accounts, keys and the record of changes.
import type { Instant } from './vocabulary';

/** What an account may do, each more than the one before. */
export const ROLES = ['viewer', 'trader', 'analyst', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What is shown beside the password. */
export type FactorKind = 'authenticator' | 'passkey';

/** The session of who reads the page; `second_factor` owes a code, `enrolment` a second factor. */
export interface Session {
  account: { id: string; user_name: string; role: Role };
  stage: 'second_factor' | 'enrolment' | 'full';
  second_factor: {
    enabled: boolean;
    required: boolean;
    kinds: FactorKind[];
    /** Where passkeys work; null where the page has no host name. */
    passkey_host: string | null;
    recovery_codes_left: number;
  };
  stepped_up_until: Instant | null;
  csrf_token: string;
  signed_in_at: Instant;
  idle_expires_at: Instant;
  expires_at: Instant;
}

/** A code of the moment, one of those that were kept for when there is none, or what a passkey has signed. */
export type Proof = { code: string } | { recovery_code: string } | { passkey: object };

export interface Passkey {
  id: string;
  name: string;
  created_at: Instant;
  last_used_at: Instant | null;
}

export interface SecondFactorSetup {
  /** In base 32. */
  secret: string;
  otpauth_uri: string;
  qr_svg: string;
}

export interface SessionEntry {
  id: string;
  current: boolean;
  signed_in_at: Instant;
  last_seen_at: Instant;
  expires_at: Instant;
  address: string | null;
  user_agent: string | null;
}

export interface SignIn {
  at: Instant;
  outcome: string;
  address: string | null;
  user_agent: string | null;
}

/** For whom a link of an invitation is. */
export interface Invited {
  user_name: string;
  role: Role;
  purpose: 'new' | 'reset';
  expires_at: Instant;
}

export interface User {
  id: string;
  user_name: string;
  role: Role;
  state: 'invited' | 'active' | 'disabled';
  second_factor_kinds: FactorKind[];
  created_at: Instant;
  last_signed_in_at: Instant | null;
}

export interface InvitedUser {
  user: User;
  invitation: { link_path: string; expires_at: Instant };
}

/** What a key may do, each as much as a role. */
export const SCOPES = ['read', 'trade', 'analyse', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export interface ApiKey {
  id: string;
  account: string;
  user_name: string;
  name: string;
  prefix: string;
  scopes: Scope[];
  /** Networks from which it is taken; none is everywhere. */
  addresses: string[];
  created_at: Instant;
  expires_at: Instant;
  last_used_at: Instant | null;
  state: 'active' | 'grace' | 'expired' | 'revoked';
  replaced_by: string | null;
  /** Whether it gets a successor seven days before its end. */
  auto_rotate: boolean;
  /** Whether it is such a successor that nobody has collected. */
  is_uncollected: boolean;
  /** When there are seven or fewer. */
  ends_in_days: number | null;
}

export interface NewKey {
  name: string;
  scopes: Scope[];
  addresses: string[];
  expires_in_days: number;
  auto_rotate: boolean;
}

/** A key with its token, which is told this once. */
export interface MadeKey {
  key: ApiKey;
  token: string;
  /** The one it takes the place of. */
  old?: ApiKey;
}

export interface AuditRecord {
  seq: number;
  at: Instant;
  actor: string;
  actor_name: string | null;
  action: string;
  subject: string;
  details: Record<string, unknown> | null;
  personal: Record<string, unknown> | null;
  /** Whether its personal part was erased. */
  erased: boolean;
  request_id: string | null;
  mac: string;
}

export interface AuditVerification {
  verified: boolean;
  records_count: number;
  root: string;
  /** Where it breaks; of records that were cut off at the end no number is known. */
  broken: { seq: number | null; problem: string } | null;
  checked_at: Instant;
}

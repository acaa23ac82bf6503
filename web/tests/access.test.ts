import { describe, expect, it } from 'vitest';
import type { Session } from '../src/api/schema/access';
import { retryTime } from '../src/api/patience.svelte';
import { isDueForRenewal, timeLeft } from '../src/i18n/time_left';
import { actorWords, auditWords } from '../src/i18n/audit_words';
import { missingLength } from '../src/parts/password';
import { auditCsv } from '../src/routes/admin/audit_file';
import { auditFilterOf, auditPath } from '../src/routes/admin/audit_filter';
import { inGroups } from '../src/routes/gate/secret';
import { deviceWords } from '../src/routes/settings/device';
import { redirection, returnPath, signInPath } from '../src/shell/gate';

const back = (next: string): string => returnPath(`?next=${encodeURIComponent(next)}`);

describe('the way back after signing in', () => {
  it('leads to a page of this app with its choices', () => {
    expect(back('/s/THYAO')).toBe('/s/THYAO');
    expect(back('/admin/audit?actor=system')).toBe('/admin/audit?actor=system');
    expect(returnPath(signInPath('/models?state=retired').slice('/login'.length))).toBe('/models?state=retired');
  });
  it('leads nowhere else', () => {
    for (const next of [
      'https://evil.example/',
      '//evil.example/models',
      '/\\evil.example/models',
      '/\t/evil.example/models',
      '/models\\..\\..',
      '\\/evil.example',
      'javascript:alert(1)',
      'models',
      '',
      '/nothing/here',
      '/api/v1/auth/logout',
      '/login',
      '/login/code?next=/models',
      '/invitation',
      '/enrol',
    ]) {
      expect(back(next), next).toBe('/');
    }
    expect(returnPath('')).toBe('/');
    // What the path of the address hides is looked at as the browser reads it.
    expect(back('/models/../login')).toBe('/');
  });
});

describe('who is led where', () => {
  const session = (stage: Session['stage']): Session => ({
    account: { id: 'u1', user_name: 'ayse', role: 'admin' },
    stage,
    second_factor: { enabled: stage !== 'enrolment', required: true, kinds: stage === 'enrolment' ? [] : ['authenticator'], passkey_host: null, recovery_codes_left: 10 },
    stepped_up_until: null,
    csrf_token: 't',
    signed_in_at: '2026-11-29T10:00:00Z',
    idle_expires_at: '2026-11-29T11:00:00Z',
    expires_at: '2026-11-30T10:00:00Z',
  });
  it('nobody sees a page without signing in, and comes back to it', () => {
    expect(redirection(null, '/models', '?state=retired')).toBe('/login?next=%2Fmodels%3Fstate%3Dretired');
    expect(redirection(null, '/', '')).toBe('/login');
    expect(redirection(null, '/login/code', '?next=%2Fmodels')).toBe('/login?next=%2Fmodels');
    expect(redirection(null, '/enrol', '')).toBe('/login');
    expect(redirection(null, '/login', '?next=%2Fmodels')).toBeNull();
    expect(redirection(null, '/invitation', '')).toBeNull();
  });
  it('who owes a code gives it first', () => {
    expect(redirection(session('second_factor'), '/models', '')).toBe('/login/code?next=%2Fmodels');
    expect(redirection(session('second_factor'), '/login', '?next=%2Fmodels')).toBe('/login/code?next=%2Fmodels');
    expect(redirection(session('second_factor'), '/login/code', '?next=%2Fmodels')).toBeNull();
  });
  it('an administrator without a second factor is led to enrolment from the door and from administration only', () => {
    expect(redirection(session('enrolment'), '/login', '?next=%2Fmodels')).toBe('/enrol?next=%2Fmodels');
    expect(redirection(session('enrolment'), '/admin/users', '')).toBe('/enrol?next=%2Fadmin%2Fusers');
    expect(redirection(session('enrolment'), '/models', '')).toBeNull();
    expect(redirection(session('enrolment'), '/enrol', '')).toBeNull();
  });
  it('who is in goes on', () => {
    expect(redirection(session('full'), '/login', '?next=%2Fmodels')).toBe('/models');
    expect(redirection(session('full'), '/login/code', '')).toBe('/');
    expect(redirection(session('full'), '/admin/users', '')).toBeNull();
  });
});

it('a header says in seconds or as a date when to ask again', () => {
  const now = Date.parse('2026-11-29T10:00:00Z');
  expect(retryTime('12', now)).toBe(now + 12_000);
  expect(retryTime('Sun, 29 Nov 2026 10:00:30 GMT', now)).toBe(now + 30_000);
  expect(retryTime('Sun, 29 Nov 2026 09:00:00 GMT', now)).toBe(now);
  expect(retryTime('soon', now)).toBeNull();
  expect(retryTime(null, now)).toBeNull();
});

describe('what is left', () => {
  const now = Date.parse('2026-11-29T10:00:00Z');
  it('is told in the largest whole unit', () => {
    expect(timeLeft('2026-12-29T10:00:00Z', now)).toEqual({ unit: 'days', count: 30 });
    expect(timeLeft('2026-12-01T09:59:59Z', now)).toEqual({ unit: 'hours', count: 47 });
    expect(timeLeft('2026-11-29T11:30:00Z', now)).toEqual({ unit: 'minutes', count: 90 });
    expect(timeLeft('2026-11-29T10:00:00Z', now)).toEqual({ unit: 'over', count: 0 });
    expect(timeLeft('nonsense', now)).toEqual({ unit: 'over', count: 0 });
  });
  it('of an active key is little from 7 days on', () => {
    const due = (state: string, expires_at: string): boolean => isDueForRenewal({ state, expires_at }, now);
    expect(due('active', '2026-12-06T10:00:00Z')).toBe(true);
    expect(due('active', '2026-12-06T10:00:01Z')).toBe(false);
    expect(due('active', '2026-11-29T09:00:00Z')).toBe(false);
    expect(due('grace', '2026-11-30T10:00:00Z')).toBe(false);
  });
});

it('a secret is typed in groups of four', () => {
  expect(inGroups('JBSWY3DPEHPK3PXPJ')).toEqual(['JBSW', 'Y3DP', 'EHPK', '3PXP', 'J']);
  expect(inGroups('')).toEqual([]);
});

it('the length of a password is counted in characters, not in code units', () => {
  expect(missingLength('')).toBe(12);
  expect(missingLength('şifreçoğuİüö')).toBe(0);
  expect(missingLength('🙂'.repeat(6))).toBe(6);
});

it('a device is named by its browser and its system', () => {
  const words = (agent: string | null): string => deviceWords(agent, '?');
  expect(words('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0.0.0')).toBe('Edge · Windows');
  expect(words('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36')).toBe('Chrome · Linux');
  expect(words('Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36')).toBe('Chrome · Android');
  expect(words('Mozilla/5.0 (iPhone; CPU iPhone OS 20_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/20.0 Mobile/15E148 Safari/604.1')).toBe('Safari · iPhone');
  expect(words('Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:150.0) Gecko/20100101 Firefox/150.0')).toBe('Firefox · macOS');
  expect(words('curl/8.5.0')).toBe('curl');
  expect(words('<script>alert(1)</script>')).toBe('?');
  expect(words(null)).toBe('?');
});

describe('the audit log', () => {
  const record = {
    seq: 7,
    at: '2026-11-29T10:00:00Z',
    actor: 'operator:ayse',
    actor_name: null,
    action: 'user.invited',
    subject: 'user:u0000000000000001',
    details: { role: 'viewer' },
    personal: { user_name: '=HYPERLINK("http://evil")' },
    erased: false,
    request_id: null,
    mac: 'ab',
  };
  it('is a table of RFC 4180 in which nothing is a formula', () => {
    const [head, row, rest] = auditCsv([{ ...record, subject: '=1+1', actor: 'a,"b"\nc' }]).split('\r\n');
    expect(head).toBe('seq,at,actor,actor_name,action,subject,details,personal,erased,request_id,mac');
    expect(row).toBe(
      '7,2026-11-29T10:00:00Z,"a,""b""\nc",,user.invited,\'=1+1,"{""role"":""viewer""}","{""user_name"":""=HYPERLINK(\\""http://evil\\"")""}",false,,ab',
    );
    expect(rest).toBe('');
  });
  it('is filtered by the address', () => {
    expect(auditFilterOf('?from=2026-11-01&to=x&actor=%20&action=key.created')).toEqual({
      from: '2026-11-01',
      to: null,
      action: 'key.created',
      actor: null,
      subject: null,
    });
    expect(auditPath({ from: '', actor: 'operator:ayse', action: null })).toBe('/admin/audit?actor=operator%3Aayse');
    expect(auditPath({})).toBe('/admin/audit');
  });
  it('names who did it', () => {
    const words = auditWords('en');
    const name = (actor: string, actor_name: string | null = null): string => actorWords(words, { actor, actor_name });
    expect(name('account:u1', 'ayse')).toBe('ayse');
    expect(name('account:u1')).toBe('erased user');
    expect(name('key:k1/u1', 'ayse')).toBe('ayse (API key)');
    expect(name('operator:root')).toBe('root (terminal)');
    expect([name('system'), name('nobody'), name('other')]).toEqual(['system', 'not signed in', 'other']);
  });
});

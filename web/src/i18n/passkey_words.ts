import type { Language } from './dictionary';

const tr = {
  title: 'Geçiş anahtarları',
  text: 'Telefonunuz, bilgisayarınız ya da güvenlik anahtarınız, doğrulama kodunun yerini tutar: kod yazılmaz ve sahte bir sayfada çalışmaz.',
  none: 'Henüz geçiş anahtarı yok.',
  name: 'Geçiş anahtarının adı',
  nameHint: 'Nerede durduğunu anlatan bir ad, örneğin “telefonum”',
  add: 'Geçiş anahtarı ekle',
  added: 'Geçiş anahtarı eklendi.',
  created: 'Eklendi',
  lastUsed: 'Son kullanım',
  never: 'hiç',
  remove: 'Kaldır',
  removeTitle: (name: string) => `“${name}” kaldırılsın mı?`,
  removeText: 'Bu geçiş anahtarı artık kabul edilmez. Cihazda duran kopyasını cihazın ayarlarından silebilirsiniz.',
  lastText: 'Bu, hesabın son ikinci adımı. Kaldırılınca oturum yalnız parolayla açılır ve diğer oturumlar sona erer; parolanız gerekir.',
  removeSubmit: 'Evet, kaldır',
  password: 'Şimdiki parola',
  wrongPassword: 'Parola yanlış.',
  noHost: 'Geçiş anahtarları yalnız adı olan bir adreste çalışır; bu sayfa bir IP adresiyle açıldı. Sayfayı sunucunun adıyla, bu makinede ise localhost olarak açın.',
  noBrowser: 'Bu tarayıcı geçiş anahtarlarını desteklemiyor.',
  otherHost: (host: string) => `Geçiş anahtarları yalnız ${host} adresinde çalışır; sayfayı orada açın.`,
  or: 'Ya da geçiş anahtarı kullanın',
  failed: 'Geçiş anahtarları alınamadı',
};

const en: typeof tr = {
  title: 'Passkeys',
  text: 'Your phone, your computer or a security key takes the place of the verification code: nothing is typed, and it does not work on a forged page.',
  none: 'There is no passkey yet.',
  name: 'Name of the passkey',
  nameHint: 'What tells you where it is, such as “my phone”',
  add: 'Add a passkey',
  added: 'The passkey was added.',
  created: 'Added',
  lastUsed: 'Last used',
  never: 'never',
  remove: 'Remove',
  removeTitle: (name) => `Remove “${name}”?`,
  removeText: 'This passkey will not be taken any more. The copy on the device can be deleted in the settings of the device.',
  lastText: 'This is the last second step of the account. Without it, signing in needs only the password, and the other sessions end; the password is needed.',
  removeSubmit: 'Yes, remove',
  password: 'Current password',
  wrongPassword: 'The password is wrong.',
  noHost: 'Passkeys work only at an address with a name; this page was opened by an IP address. Open it by the name of the server, or as localhost on this machine.',
  noBrowser: 'This browser has no passkeys.',
  otherHost: (host) => `Passkeys work at ${host} only; open the page there.`,
  or: 'Or use a passkey',
  failed: 'The passkeys could not be loaded',
};

export type PasskeyWords = typeof tr;

/** The words of passkeys, which the shell does not carry. */
export function passkeyWords(language: Language): PasskeyWords {
  return language === 'tr' ? tr : en;
}

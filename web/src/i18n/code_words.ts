import type { Language } from './dictionary';

const tr = {
  code: {
    label: 'Doğrulama kodu',
    rule: 'Doğrulama uygulamasındaki 6 rakam',
    recovery: 'Kurtarma kodu',
    toRecovery: 'Telefonum yanımda değil: kurtarma kodu gir',
    toCode: 'Doğrulama uygulamasındaki kodu gir',
    passkey: 'Geçiş anahtarı kullan',
    noPasskeyHere: 'Bu adreste geçiş anahtarları çalışmaz; sunucuyu adıyla açın.',
  },
  stepUp: {
    title: 'Siz olduğunuzu doğrulayın',
    text: 'Bu işlem ikinci adımı bir kez daha ister. Sonraki 10 dakika yeniden sorulmaz.',
    passwordText: 'Bu işlem parolanızı bir kez daha ister. Sonraki 10 dakika yeniden sorulmaz.',
    password: 'Parola',
    wrongPassword: 'Parola yanlış.',
    submit: 'Onayla ve sürdür',
    enrolTitle: 'Önce iki adımlı doğrulama',
    enrolText: 'Bu işlem iki adımlı doğrulama ister; hesabınızda henüz açık değil.',
    enrol: 'İki adımlı doğrulamayı aç',
  },
};

const en: typeof tr = {
  code: {
    label: 'Verification code',
    rule: 'The 6 digits that your authenticator app shows',
    recovery: 'Recovery code',
    toRecovery: 'I do not have my phone: use a recovery code',
    toCode: 'Use the code of the authenticator app',
    passkey: 'Use a passkey',
    noPasskeyHere: 'Passkeys do not work at this address; open the server by its name.',
  },
  stepUp: {
    title: 'Confirm that it is you',
    text: 'This needs the second step once more. You will not be asked again for 10 minutes.',
    passwordText: 'This needs your password once more. You will not be asked again for 10 minutes.',
    password: 'Password',
    wrongPassword: 'The password is wrong.',
    submit: 'Confirm and go on',
    enrolTitle: 'Two-step verification first',
    enrolText: 'This needs two-step verification, which your account does not have yet.',
    enrol: 'Turn on two-step verification',
  },
};

/** The words of what asks for a code, or for another proof of who one is, which the shell does not carry. */
export function codeWords(language: Language): typeof tr {
  return language === 'tr' ? tr : en;
}

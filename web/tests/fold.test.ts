import { expect, it } from 'vitest';
import { fold, rank } from '../src/i18n/fold';

it('Turkish letters fold to the ones on every keyboard', () => {
  expect(fold('ŞİŞECAM')).toBe('sisecam');
  expect(fold('şişecam')).toBe('sisecam');
  expect(fold('IĞDIR')).toBe('igdir');
  expect(fold('ığdır')).toBe('igdir');
  expect(fold('ÇÖĞÜ çöğü')).toBe('cogu cogu');
});

it('letters made of two code points fold like those of one', () => {
  expect(fold('s\u0327is\u0327e')).toBe('sise');
  expect(fold('I\u0307s')).toBe('is');
});

it('a ticker comes before a name, and the beginning before the middle', () => {
  expect(rank('sise', 'SISE', 'Şişecam')).toBe(0);
  expect(rank('sis', 'SISE', 'Şişecam')).toBe(1);
  expect(rank('şişe', 'TRSIS', 'Şişecam')).toBe(2);
  expect(rank('hava', 'THYAO', 'Türk Hava Yolları')).toBe(3);
  expect(rank('olla', 'THYAO', 'Türk Hava Yolları')).toBe(4);
  expect(rank('petrol', 'THYAO', 'Türk Hava Yolları')).toBeNull();
  expect(rank('', 'THYAO', null)).toBe(0);
});

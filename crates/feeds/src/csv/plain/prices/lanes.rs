//! Four prices of one shape at once, two in each register of those that every x86-64 processor has;
//! one by one on any other.

use super::Shape;

#[cfg(not(target_arch = "x86_64"))]
pub(super) use one_by_one::Lanes;
#[cfg(target_arch = "x86_64")]
pub(super) use x86_64::Lanes;

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::__m128i;

    use pulp::core_arch::x86::Sse2;

    use super::Shape;

    /// A shape in both halves of a register.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Lanes {
        sse2: Sse2,
        pattern: __m128i,
        /// The largest that each byte may be once the pattern is taken away.
        most: __m128i,
        before: __m128i,
        after: __m128i,
        shift_bits: __m128i,
        factor: __m128i,
    }

    impl Lanes {
        pub(in super::super) fn of(shape: &Shape) -> Self {
            let sse2 = Sse2::try_new().expect("every x86-64 processor has SSE2");
            let both = |word: u64| sse2._mm_set1_epi64x(word.cast_signed());
            // What is carried into the high bit from nine on, from one on, or never.
            let most = shape.carry.to_le_bytes().map(|carry| match carry {
                0 => 0xff,
                carry => 0x7f_u8.saturating_sub(carry),
            });
            Self {
                sse2,
                pattern: both(shape.pattern),
                most: both(u64::from_le_bytes(most)),
                before: both(shape.before),
                after: both(shape.after),
                shift_bits: sse2._mm_set_epi64x(0, shape.shift_bits.into()),
                factor: both(shape.factor.into()),
            }
        }

        /// The prices in `words`, if all have this shape.
        #[inline(always)]
        pub(in super::super) fn read(&self, _shape: &Shape, words: [u64; 4]) -> Option<[i64; 4]> {
            let sse2 = self.sse2;
            let [a, b, c, d] = words.map(u64::cast_signed);
            let first = sse2._mm_xor_si128(sse2._mm_set_epi64x(b, a), self.pattern);
            let second = sse2._mm_xor_si128(sse2._mm_set_epi64x(d, c), self.pattern);
            let unfit = sse2._mm_or_si128(
                sse2._mm_subs_epu8(first, self.most),
                sse2._mm_subs_epu8(second, self.most),
            );
            if sse2._mm_movemask_epi8(sse2._mm_cmpeq_epi8(unfit, sse2._mm_setzero_si128()))
                != 0xffff
            {
                return None;
            }
            // Two numbers of four digits for each price, then one of eight.
            let fours = sse2._mm_packs_epi32(self.fours(first), self.fours(second));
            let eights = sse2._mm_madd_epi16(fours, sse2._mm_set1_epi32(10_000 + (1 << 16)));
            let even = sse2._mm_mul_epu32(eights, self.factor);
            let odd = sse2._mm_mul_epu32(sse2._mm_srli_epi64::<32>(eights), self.factor);
            let (first, second) =
                (sse2._mm_unpacklo_epi64(even, odd), sse2._mm_unpackhi_epi64(even, odd));
            Some(pulp::cast([first, second]))
        }

        /// The first four of eight digits as a number, and the last four.
        #[inline(always)]
        fn fours(&self, digits: __m128i) -> __m128i {
            let sse2 = self.sse2;
            let before = sse2._mm_and_si128(digits, self.before);
            let after = sse2._mm_and_si128(sse2._mm_srli_epi64::<8>(digits), self.after);
            let digits = sse2._mm_sll_epi64(sse2._mm_or_si128(before, after), self.shift_bits);
            let tens = sse2._mm_mullo_epi16(digits, sse2._mm_set1_epi16(10));
            let pairs = sse2._mm_add_epi8(tens, sse2._mm_srli_epi16::<8>(digits));
            let pairs = sse2._mm_and_si128(pairs, sse2._mm_set1_epi16(0xff));
            sse2._mm_madd_epi16(pairs, sse2._mm_set1_epi32(100 + (1 << 16)))
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod one_by_one {
    use super::Shape;

    /// Nothing, as the shape itself reads.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Lanes;

    impl Lanes {
        pub(in super::super) fn of(_shape: &Shape) -> Self {
            Self
        }

        /// The prices in `words`, if all have this shape.
        #[inline(always)]
        pub(in super::super) fn read(self, shape: &Shape, words: [u64; 4]) -> Option<[i64; 4]> {
            let [a, b, c, d] = words;
            Some([shape.read(a)?, shape.read(b)?, shape.read(c)?, shape.read(d)?])
        }
    }
}

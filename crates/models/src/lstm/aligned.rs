//! Numbers that begin at the start of a cache line.

use std::ops::{Deref, DerefMut};

/// Numbers of a cache line of 64 bytes, which is also the largest register.
const LINE: usize = 16;

/// A run of numbers that begins at a cache line, so that no register of them is read from two.
#[derive(Debug, Default)]
pub(super) struct Aligned {
    /// The numbers, behind as many unused ones as bring them to the line.
    numbers: Vec<f32>,
    unused: usize,
}

impl Aligned {
    pub(super) fn zeros(count: usize) -> Self {
        if count == 0 {
            return Self::default();
        }
        let mut numbers = vec![0.0_f32; count + LINE - 1];
        let unused = numbers.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE - 1);
        numbers.truncate(unused + count);
        Self { numbers, unused }
    }
}

impl Deref for Aligned {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.numbers[self.unused..]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.numbers[self.unused..]
    }
}

impl Clone for Aligned {
    fn clone(&self) -> Self {
        let mut copy = Self::zeros(self.len());
        copy.copy_from_slice(self);
        copy
    }
}

impl PartialEq for Aligned {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_begin_at_a_cache_line_and_so_do_those_of_a_copy() {
        for count in [0, 1, 15, 16, 17, 1000] {
            let mut first = Aligned::zeros(count);
            first.fill(1.5);
            let copy = first.clone();
            for numbers in [&first, &copy] {
                assert_eq!(**numbers, vec![1.5; count]);
                assert!(count == 0 || numbers.as_ptr().addr() % 64 == 0);
            }
        }
    }
}

//! Both ways of reading a row agree.

use super::*;

#[test]
fn placeholder() {}

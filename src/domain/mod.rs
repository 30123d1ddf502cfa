//! The vocabulary: types, ids, freshness and policy. Imports nothing else of this crate.

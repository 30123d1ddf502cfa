//! Tests of plans and guards.

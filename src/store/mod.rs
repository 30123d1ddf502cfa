//! What is kept on disk: the journal of writes, and the locks around them.

pub mod journal;
pub mod lock;

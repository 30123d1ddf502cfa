//! What is kept on disk: the journal of writes and its locks.

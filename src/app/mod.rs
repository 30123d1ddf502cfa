//! The pure core: `State`, `Msg`, `Effect` and `update`, with the command table and the selectors.

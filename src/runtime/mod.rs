//! The only place that touches the world: effects, polling, supervision and the one `select!`.

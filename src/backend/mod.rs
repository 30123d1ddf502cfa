//! Ports to the outside and one adapter per kind of source.

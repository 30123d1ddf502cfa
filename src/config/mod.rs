//! Layered settings with provenance; nothing starts on half a configuration.

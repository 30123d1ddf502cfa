//! The themes that come with the program.

/// Names and texts, in the order of switching.
pub const BUILT_IN: [(&str, &str); 5] = [
    ("default", include_str!("../../../../themes/default.toml")),
    ("light", include_str!("../../../../themes/light.toml")),
    ("high-contrast", include_str!("../../../../themes/high-contrast.toml")),
    ("colour-blind", include_str!("../../../../themes/colour-blind.toml")),
    ("mono", include_str!("../../../../themes/mono.toml")),
];

/// The text of a built-in theme.
pub fn text_of(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(own, _)| *own == name).map(|(_, text)| *text)
}

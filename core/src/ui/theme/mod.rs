//! Themes: how each role looks; files that inherit from one another.

mod builtin;
mod parse;
mod role;

pub use builtin::{BUILT_IN, text_of};
pub use parse::{ThemeError, ThemeFile};
pub use role::Role;

use ratatui::style::{Color, Style};

/// How each role looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    styles: [Style; Role::ALL.len()],
}

impl Theme {
    /// A theme in which everything looks alike.
    fn plain(name: &str) -> Self {
        Self { name: name.to_owned(), styles: [Style::new(); Role::ALL.len()] }
    }

    /// The built-in theme `default`.
    pub fn fallback() -> Self {
        Self::load("default", &|_| None).unwrap_or_else(|_| Self::plain("default"))
    }

    /// The theme `name`; `user` gives the text of a theme file of the user's, whose themes may
    /// bear the name of a built-in one to take its place.
    pub fn load(name: &str, user: &dyn Fn(&str) -> Option<String>) -> Result<Self, ThemeError> {
        let mut lineage: Vec<ThemeFile> = Vec::new();
        let mut next = Some((name.to_owned(), false));
        while let Some((name, built_in)) = next {
            let text = if built_in { None } else { user(&name) };
            let own = text.is_some();
            let Some(text) = text.or_else(|| text_of(&name).map(str::to_owned)) else {
                return Err(ThemeError::unknown(&name, lineage.last().map(|f| f.name.as_str())));
            };
            let file = ThemeFile::parse(&name, &text)?;
            next = file.inherits.clone().map(|parent| {
                // A user's `default` that inherits `default` means the built-in one.
                let itself = own && parent == name;
                (parent, itself)
            });
            let circle = lineage.iter().any(|f| f.name == file.name && f.inherits == file.inherits);
            if circle || lineage.len() > 8 {
                return Err(ThemeError::circle(&name));
            }
            lineage.push(file);
        }
        let mut theme = Self::plain(name);
        for file in lineage.iter().rev() {
            for (role, style) in &file.styles {
                if let Some(slot) = theme.styles.get_mut(*role as usize) {
                    *slot = *style;
                }
            }
        }
        Ok(theme)
    }

    /// How `role` looks.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The same theme with every colour replaced, for terminals that show fewer; `None` takes the
    /// colour away.
    #[must_use]
    pub fn with_colors(mut self, replace: impl Fn(Color) -> Option<Color>) -> Self {
        for style in &mut self.styles {
            style.fg = style.fg.and_then(&replace);
            style.bg = style.bg.and_then(&replace);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Modifier;

    use super::*;

    #[test]
    fn every_built_in_theme_loads_and_says_how_each_state_looks() {
        for (name, _) in BUILT_IN {
            let theme = Theme::load(name, &|_| None).unwrap();
            for (role, word) in [(Role::Bad, "bad"), (Role::Selected, "selected")] {
                assert_ne!(theme.style(role), Style::new(), "{name}: {word}");
            }
            assert_ne!(theme.style(Role::Stale), theme.style(Role::Text), "{name}");
        }
    }

    #[test]
    fn mono_has_no_colour() {
        let theme = Theme::load("mono", &|_| None).unwrap();
        for (role, name) in Role::ALL {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{name}");
        }
    }

    #[test]
    fn a_theme_inherits_and_overrides() {
        let user = |name: &str| {
            (name == "mine").then(|| {
                "inherits = \"default\"\n[roles]\nbad = { fg = \"#ff8800\", bold = true }\n"
                    .to_owned()
            })
        };
        let theme = Theme::load("mine", &user).unwrap();
        let bad = theme.style(Role::Bad);
        assert_eq!(bad.fg, Some(Color::Rgb(0xff, 0x88, 0)));
        assert!(bad.add_modifier.contains(Modifier::BOLD));
        assert_eq!(theme.style(Role::Good), Theme::fallback().style(Role::Good));
    }

    #[test]
    fn a_user_theme_may_take_the_place_of_a_built_in_one() {
        let user = |name: &str| {
            (name == "light")
                .then(|| "inherits = \"light\"\n[roles]\nkey = { fg = \"red\" }\n".to_owned())
        };
        let theme = Theme::load("light", &user).unwrap();
        assert_eq!(theme.style(Role::Key).fg, Some(Color::Red));
        let built_in = Theme::load("light", &|_| None).unwrap();
        assert_eq!(theme.style(Role::Bad), built_in.style(Role::Bad));
    }

    #[test]
    fn errors_say_what_and_where() {
        let load = |text: &'static str| {
            Theme::load("mine", &|name| (name == "mine").then(|| text.to_owned()))
                .unwrap_err()
                .to_string()
        };
        for (text, parts) in [
            ("[roles]\nbda = { fg = \"red\" }", vec!["mine", "line 2", "bda", "bad"]),
            ("[roles]\nbad = { fg = \"redd\" }", vec!["line 2", "redd", "red"]),
            ("inherits = \"defualt\"", vec!["defualt", "default", "mine"]),
            ("inherits = \"mine\"", vec!["mine"]),
            ("[roles\n", vec!["line 1"]),
            ("[roles]\nbad = { fg = \"#12\" }", vec!["line 2", "#12", "#rrggbb"]),
        ] {
            let message = load(text);
            for part in parts {
                assert!(message.contains(part), "{text:?}: {message:?} lacks {part:?}");
            }
        }
    }
}

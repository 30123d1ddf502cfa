//! What the terminal can show, from the environment: colours and glyphs.

/// The variables that matter, as they were at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `NO_COLOR` (present and not empty).
    pub no_color: bool,
    /// `CLICOLOR_FORCE` (present and not `0`).
    pub force_color: bool,
    /// `COLORTERM`.
    pub colorterm: String,
    /// `TERM`.
    pub term: String,
    /// The first of `LC_ALL`, `LC_CTYPE`, `LANG` that is set.
    pub locale: String,
    /// Inside tmux.
    pub tmux: bool,
    /// Standard output is a terminal.
    pub is_tty: bool,
}

/// Colours that can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None; only bold, dim, underlined and reversed.
    None,
    /// The sixteen named colours.
    Sixteen,
    /// 256 colours.
    TwoFiveSix,
    /// 16 million colours.
    True,
}

/// What was asked for on the command line or in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// As the environment says.
    Auto,
    /// At least sixteen colours.
    Always,
    /// None.
    Never,
    /// Exactly these.
    Exactly(Depth),
}

impl Environment {
    /// Reads the variables of the process.
    pub fn of_process() -> Self {
        let var = |name| std::env::var(name).unwrap_or_default();
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .map(var)
            .find(|value| !value.is_empty())
            .unwrap_or_default();
        Self {
            no_color: !var("NO_COLOR").is_empty(),
            force_color: !matches!(var("CLICOLOR_FORCE").as_str(), "" | "0"),
            colorterm: var("COLORTERM"),
            term: var("TERM"),
            locale,
            tmux: !var("TMUX").is_empty(),
            is_tty: std::io::IsTerminal::is_terminal(&std::io::stdout()),
        }
    }

    /// Colours that can be shown, given what was asked for.
    pub fn depth(&self, wish: Wish) -> Depth {
        match wish {
            Wish::Never => Depth::None,
            Wish::Exactly(depth) => depth,
            Wish::Always => self.by_term().max(Depth::Sixteen),
            // https://no-color.org: a command-line wish wins, this does not.
            Wish::Auto if self.no_color => Depth::None,
            Wish::Auto if self.force_color => self.by_term().max(Depth::Sixteen),
            Wish::Auto if !self.is_tty => Depth::None,
            Wish::Auto => self.by_term(),
        }
    }

    fn by_term(&self) -> Depth {
        let term = self.term.as_str();
        if matches!(self.colorterm.as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
            Depth::True
        } else if term.is_empty()
            || term == "dumb"
            || term.starts_with("vt1")
            || term.ends_with("-m")
        {
            Depth::None
        } else if term.contains("256") {
            Depth::TwoFiveSix
        } else {
            Depth::Sixteen
        }
    }

    /// Whether only ASCII is safe: the locale is not UTF-8, or one whose fonts draw boxes and
    /// marks two cells wide.
    pub fn wants_ascii(&self) -> bool {
        let locale = self.locale.to_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        let wide = ["ja", "ko", "zh"].iter().any(|language| locale.starts_with(language));
        !utf8 || wide || self.term == "linux"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(term: &str, colorterm: &str) -> Environment {
        Environment {
            term: term.to_owned(),
            colorterm: colorterm.to_owned(),
            locale: "en_GB.UTF-8".to_owned(),
            is_tty: true,
            ..Environment::default()
        }
    }

    #[test]
    fn colours_follow_the_environment() {
        for (term, colorterm, depth) in [
            ("xterm", "", Depth::Sixteen),
            ("xterm-256color", "", Depth::TwoFiveSix),
            ("screen-256color", "truecolor", Depth::True),
            ("dumb", "", Depth::None),
            ("", "", Depth::None),
            ("linux", "", Depth::Sixteen),
        ] {
            assert_eq!(env(term, colorterm).depth(Wish::Auto), depth, "{term} {colorterm}");
        }
    }

    #[test]
    fn wishes_win_over_the_environment() {
        let no_color = Environment { no_color: true, ..env("xterm-256color", "") };
        assert_eq!(no_color.depth(Wish::Auto), Depth::None);
        assert_eq!(no_color.depth(Wish::Always), Depth::TwoFiveSix);
        assert_eq!(env("dumb", "").depth(Wish::Always), Depth::Sixteen);
        assert_eq!(env("xterm", "truecolor").depth(Wish::Never), Depth::None);
        let piped = Environment { is_tty: false, ..env("xterm", "") };
        assert_eq!(piped.depth(Wish::Auto), Depth::None);
        assert_eq!(Environment { force_color: true, ..piped }.depth(Wish::Auto), Depth::Sixteen);
    }

    #[test]
    fn ascii_where_glyphs_are_not_safe() {
        for (locale, ascii) in [
            ("en_GB.UTF-8", false),
            ("C.utf8", false),
            ("C", true),
            ("", true),
            ("ja_JP.UTF-8", true),
        ] {
            let env = Environment { locale: locale.to_owned(), ..env("xterm", "") };
            assert_eq!(env.wants_ascii(), ascii, "{locale:?}");
        }
    }
}

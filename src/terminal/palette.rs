//! Colours in as many as the terminal shows: the nearest to the eye, by distance in Oklab.
//!
//! Oklab: Björn Ottosson, "A perceptual color space for image processing" (2020).

use ratatui::style::Color;

use super::caps::Depth;

/// The sixteen named colours as xterm shows them; a terminal's own palette may differ.
const NAMED: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];
/// Levels of each channel in the cube of the 256 colours.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// `color` as a terminal of this depth shows it; nothing on one without colours.
pub fn at_depth(color: Color, depth: Depth) -> Option<Color> {
    match (depth, color) {
        (Depth::None, _) => None,
        (Depth::TwoFiveSix, Color::Rgb(r, g, b)) => {
            let candidates = (16..=255).map(|index| (Color::Indexed(index), rgb(index)));
            Some(nearest([r, g, b], candidates).unwrap_or(color))
        }
        (Depth::Sixteen, Color::Rgb(r, g, b)) => {
            Some(nearest([r, g, b], NAMED.into_iter()).unwrap_or(color))
        }
        (Depth::Sixteen, Color::Indexed(index)) => {
            let named = NAMED.get(usize::from(index)).map(|(color, _)| *color);
            Some(named.or_else(|| nearest(rgb(index), NAMED.into_iter())).unwrap_or(color))
        }
        // It shows that one as it is.
        _ => Some(color),
    }
}

/// Red, green and blue of one of the 256 colours.
fn rgb(index: u8) -> [u8; 3] {
    let level = |of: u8| LEVELS.get(usize::from(of)).copied().unwrap_or(255);
    match index {
        0..16 => NAMED.get(usize::from(index)).map_or([0; 3], |(_, rgb)| *rgb),
        16..232 => {
            let cube = index - 16;
            [level(cube / 36), level(cube / 6 % 6), level(cube % 6)]
        }
        232.. => [8 + (index - 232) * 10; 3],
    }
}

fn nearest(wanted: [u8; 3], candidates: impl Iterator<Item = (Color, [u8; 3])>) -> Option<Color> {
    let wanted = oklab(wanted);
    let distance = |rgb: [u8; 3]| -> f64 {
        oklab(rgb).iter().zip(wanted).map(|(a, b)| (a - b) * (a - b)).sum()
    };
    candidates.min_by(|a, b| distance(a.1).total_cmp(&distance(b.1))).map(|(color, _)| color)
}

/// Lightness and the two colour axes of Oklab.
fn oklab(rgb: [u8; 3]) -> [f64; 3] {
    let linear = rgb.map(|channel| {
        let value = f64::from(channel) / 255.0;
        // The transfer function of sRGB.
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    let mixed = |weights: [f64; 3]| -> f64 {
        let sum: f64 = weights.iter().zip(linear).map(|(weight, value)| weight * value).sum();
        sum.cbrt()
    };
    let l = mixed([0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9]);
    let m = mixed([0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6]);
    let s = mixed([0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5]);
    [
        0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
        1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
        0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_terminal_has_is_kept() {
        assert_eq!(at_depth(Color::Rgb(1, 2, 3), Depth::True), Some(Color::Rgb(1, 2, 3)));
        assert_eq!(at_depth(Color::Green, Depth::Sixteen), Some(Color::Green));
        assert_eq!(at_depth(Color::Indexed(200), Depth::TwoFiveSix), Some(Color::Indexed(200)));
        assert_eq!(at_depth(Color::Green, Depth::None), None);
    }

    #[test]
    fn every_colour_of_the_256_is_found_again() {
        for index in 16..=255 {
            let [r, g, b] = rgb(index);
            let found = at_depth(Color::Rgb(r, g, b), Depth::TwoFiveSix);
            let Some(Color::Indexed(found)) = found else { panic!("{found:?}") };
            // Some greys stand in the cube and in the ramp.
            assert_eq!(rgb(found), [r, g, b]);
        }
    }

    #[test]
    fn of_sixteen_the_nearest_to_the_eye_is_taken() {
        let sixteen = |r, g, b| at_depth(Color::Rgb(r, g, b), Depth::Sixteen).unwrap();
        assert_eq!(sixteen(250, 10, 10), Color::LightRed);
        assert_eq!(sixteen(10, 200, 20), Color::Green);
        assert_eq!(sixteen(250, 250, 245), Color::White);
        assert_eq!(sixteen(120, 125, 130), Color::DarkGray);
        assert_eq!(at_depth(Color::Indexed(9), Depth::Sixteen), Some(Color::LightRed));
        assert_eq!(at_depth(Color::Indexed(21), Depth::Sixteen), Some(Color::Blue));
    }
}

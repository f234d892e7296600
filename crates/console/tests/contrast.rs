//! Every text stands out from its ground as WCAG 2.2 AA asks (4.5 to 1), by day and by night.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../src/console.css");

/// Text over ground, by the names of the style sheet.
const PAIRS: [(&str, &str); 18] = [
    ("ink", "page"),
    ("ink", "card"),
    ("ink", "none"),
    ("ink", "tint-1"),
    ("ink", "tint-2"),
    ("ink", "tint-3"),
    ("quiet", "page"),
    ("quiet", "card"),
    ("quiet", "none"),
    ("accent", "page"),
    ("accent", "card"),
    ("accent", "none"),
    ("on-high", "high"),
    ("on-medium", "medium"),
    ("on-low-medium", "low-medium"),
    ("on-low", "low"),
    ("on-none", "none"),
    ("focus", "page"),
];

/// The colours of the nth `:root` block: 0 by day, 1 by night.
fn colours(nth: usize) -> BTreeMap<&'static str, [f64; 3]> {
    let block = STYLE.split(":root {").nth(nth + 1).unwrap().split('}').next().unwrap();
    let colours = block.split(';').filter_map(|it| it.trim().strip_prefix("--")?.split_once(": #"));
    colours.map(|(name, hex)| (name, rgb(hex))).collect()
}

fn rgb(hex: &str) -> [f64; 3] {
    [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0)
}

/// Relative luminance by WCAG.
fn luminance(rgb: [f64; 3]) -> f64 {
    let [r, g, b] =
        rgb.map(|it| if it <= 0.04045 { it / 12.92 } else { ((it + 0.055) / 1.055).powf(2.4) });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[test]
fn every_text_stands_out_from_its_ground_by_day_and_by_night() {
    for nth in 0..2 {
        let colours = colours(nth);
        for (text, ground) in PAIRS {
            let (one, two) = (luminance(colours[text]), luminance(colours[ground]));
            let contrast = (one.max(two) + 0.05) / (one.min(two) + 0.05);
            assert!(contrast >= 4.5, "{text} on {ground} in block {nth}: {contrast:.2}");
        }
    }
}

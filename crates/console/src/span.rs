//! How far back a page looks.

use auscult_model::Timestamp;

/// A stretch of time up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Span {
    /// Ten minutes.
    TenMinutes,
    /// One hour.
    Hour,
    /// Four hours: half a shift, the default once there is that much to show.
    FourHours,
    /// A day.
    Day,
}

impl Span {
    /// Every span, shortest first.
    pub const ALL: [Self; 4] = [Self::TenMinutes, Self::Hour, Self::FourHours, Self::Day];

    /// The value of `?span=`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TenMinutes => "10m",
            Self::Hour => "1h",
            Self::FourHours => "4h",
            Self::Day => "24h",
        }
    }

    /// For people, after "the last".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::TenMinutes => "10 minutes",
            Self::Hour => "hour",
            Self::FourHours => "4 hours",
            Self::Day => "24 hours",
        }
    }

    /// The span of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }

    /// Its length.
    #[must_use]
    pub const fn ms(self) -> i64 {
        match self {
            Self::TenMinutes => 600_000,
            Self::Hour => 3_600_000,
            Self::FourHours => 14_400_000,
            Self::Day => 86_400_000,
        }
    }

    /// The shortest span, up to four hours, that shows everything since `oldest`.
    #[must_use]
    pub fn covering(oldest: Option<Timestamp>, now: Timestamp) -> Self {
        let age_ms = oldest.map_or(0, |it| now.since_ms(it));
        let enough = |it: &Self| it.ms() >= age_ms;
        [Self::TenMinutes, Self::Hour].into_iter().find(enough).unwrap_or(Self::FourHours)
    }

    /// The ends of `cells` equal cells up to now, oldest first. They lie on a grid that does not move
    /// with `now`, so that a line drawn over them only ever grows; the last one is `now` itself.
    #[must_use]
    pub fn cells(self, cells: u16, now: Timestamp) -> Vec<Timestamp> {
        let step_ms = self.ms() / i64::from(cells.max(1));
        let last = now.unix_ms().div_euclid(step_ms) * step_ms;
        let past = (0..i64::from(cells)).rev().map(|back| last - back * step_ms);
        past.chain([now.unix_ms()]).map(Timestamp::from_unix_ms).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_span_grows_with_what_there_is_to_show() {
        let now = Timestamp::from_unix_ms(1_795_158_000_000);
        let rows = [
            (0, Span::TenMinutes),
            (600_000, Span::TenMinutes),
            (600_001, Span::Hour),
            (3_600_001, Span::FourHours),
            (86_400_000, Span::FourHours),
        ];
        for (age_ms, want) in rows {
            assert_eq!(Span::covering(Some(now.plus_ms(-age_ms)), now), want, "{age_ms}");
        }
        assert_eq!(Span::covering(None, now), Span::TenMinutes);
    }

    #[test]
    fn the_grid_stands_still_while_now_moves_inside_a_cell() {
        let now = Timestamp::from_unix_ms(1_795_158_001_000);
        let one = Span::TenMinutes.cells(60, now);
        let two = Span::TenMinutes.cells(60, now.plus_ms(5_000));
        assert_eq!(one.len(), 61);
        assert_eq!(one.get(..60), two.get(..60));
        assert!(one.is_sorted());
    }
}

//! Values to and from PostgreSQL's binary form, by the object id of their type.

use sqlx::{
    Postgres,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, types::Oid},
};

use super::{
    DbDataType, DbValue, Error, Interval, ParameterValue, Range, RangeBoundKind, numeric, time,
};

/// Object ids of `pg_type`, which PostgreSQL never changes.
mod oid {
    pub const UNSPECIFIED: u32 = 0;
    pub const BOOL: u32 = 16;
    pub const BYTEA: u32 = 17;
    pub const CHAR: u32 = 18;
    pub const INT8: u32 = 20;
    pub const INT2: u32 = 21;
    pub const INT4: u32 = 23;
    pub const TEXT: u32 = 25;
    pub const FLOAT4: u32 = 700;
    pub const FLOAT8: u32 = 701;
    pub const INT4_ARRAY: u32 = 1007;
    pub const TEXT_ARRAY: u32 = 1009;
    pub const BPCHAR_ARRAY: u32 = 1014;
    pub const VARCHAR_ARRAY: u32 = 1015;
    pub const INT8_ARRAY: u32 = 1016;
    pub const BPCHAR: u32 = 1042;
    pub const VARCHAR: u32 = 1043;
    pub const DATE: u32 = 1082;
    pub const TIME: u32 = 1083;
    pub const TIMESTAMP: u32 = 1114;
    pub const TIMESTAMPTZ: u32 = 1184;
    pub const INTERVAL: u32 = 1186;
    pub const NUMERIC_ARRAY: u32 = 1231;
    pub const NUMERIC: u32 = 1700;
    pub const UUID: u32 = 2950;
    pub const JSONB: u32 = 3802;
    pub const INT4_RANGE: u32 = 3904;
    pub const NUM_RANGE: u32 = 3906;
    pub const INT8_RANGE: u32 = 3926;
}

/// A parameter ready to be sent.
pub(super) struct Parameter {
    pub oid: u32,
    bytes: Option<Vec<u8>>,
}

impl sqlx::Type<Postgres> for Parameter {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(oid::UNSPECIFIED))
    }
}

impl sqlx::Encode<'_, Postgres> for Parameter {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Ok(match &self.bytes {
            None => IsNull::Yes,
            Some(bytes) => {
                buffer.extend_from_slice(bytes);
                IsNull::No
            }
        })
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(self.oid)))
    }
}

fn bad(what: &str) -> Error {
    // Without the value: it may be a patient's.
    Error::BadParameter(format!("not a valid {what}"))
}

impl Parameter {
    pub(super) fn new(value: &ParameterValue) -> Result<Self, Error> {
        let (oid, bytes) = match value {
            ParameterValue::Boolean(value) => (oid::BOOL, vec![u8::from(*value)]),
            ParameterValue::Int8(value) => (oid::CHAR, value.to_be_bytes().into()),
            ParameterValue::Int16(value) => (oid::INT2, value.to_be_bytes().into()),
            ParameterValue::Int32(value) => (oid::INT4, value.to_be_bytes().into()),
            ParameterValue::Int64(value) => (oid::INT8, value.to_be_bytes().into()),
            ParameterValue::Floating32(value) => (oid::FLOAT4, value.to_be_bytes().into()),
            ParameterValue::Floating64(value) => (oid::FLOAT8, value.to_be_bytes().into()),
            ParameterValue::Str(value) => (oid::TEXT, value.clone().into_bytes()),
            ParameterValue::Binary(value) => (oid::BYTEA, value.clone()),
            ParameterValue::Date((year, month, day)) => {
                let days = time::days(*year, *month, *day).ok_or_else(|| bad("date"))?;
                (oid::DATE, days.to_be_bytes().into())
            }
            ParameterValue::Time((hour, minute, second, nanosecond)) => {
                let micros = time::micros(*hour, *minute, *second, *nanosecond);
                (oid::TIME, micros.ok_or_else(|| bad("time"))?.to_be_bytes().into())
            }
            ParameterValue::Datetime(parts) => {
                let instant = time::instant(parts).ok_or_else(|| bad("date and time"))?;
                (oid::TIMESTAMP, instant.to_be_bytes().into())
            }
            ParameterValue::Timestamp(seconds) => {
                let instant = time::from_unix(*seconds).ok_or_else(|| bad("timestamp"))?;
                (oid::TIMESTAMPTZ, instant.to_be_bytes().into())
            }
            ParameterValue::Uuid(text) => (oid::UUID, uuid(text).ok_or_else(|| bad("UUID"))?),
            ParameterValue::Jsonb(json) => (oid::JSONB, [&[1], json.as_slice()].concat()),
            ParameterValue::Decimal(text) => (oid::NUMERIC, decimal(text)?),
            ParameterValue::RangeInt32(value) => (oid::INT4_RANGE, range(value, int4)?),
            ParameterValue::RangeInt64(value) => (oid::INT8_RANGE, range(value, int8)?),
            ParameterValue::RangeDecimal(value) => {
                (oid::NUM_RANGE, range(value, |text| decimal(text))?)
            }
            ParameterValue::ArrayInt32(values) => {
                (oid::INT4_ARRAY, array(oid::INT4, values, int4)?)
            }
            ParameterValue::ArrayInt64(values) => {
                (oid::INT8_ARRAY, array(oid::INT8, values, int8)?)
            }
            ParameterValue::ArrayDecimal(values) => {
                (oid::NUMERIC_ARRAY, array(oid::NUMERIC, values, |text| decimal(text))?)
            }
            ParameterValue::ArrayStr(values) => {
                let text = |text: &String| Ok(text.clone().into_bytes());
                (oid::TEXT_ARRAY, array(oid::TEXT, values, text)?)
            }
            ParameterValue::Interval(Interval { micros, days, months }) => {
                let mut bytes = micros.to_be_bytes().to_vec();
                bytes.extend(days.to_be_bytes());
                bytes.extend(months.to_be_bytes());
                (oid::INTERVAL, bytes)
            }
            ParameterValue::DbNull => return Ok(Self { oid: oid::UNSPECIFIED, bytes: None }),
        };
        Ok(Self { oid, bytes: Some(bytes) })
    }
}

fn int4(value: &i32) -> Result<Vec<u8>, Error> {
    Ok(value.to_be_bytes().into())
}

fn int8(value: &i64) -> Result<Vec<u8>, Error> {
    Ok(value.to_be_bytes().into())
}

fn decimal(text: &str) -> Result<Vec<u8>, Error> {
    numeric::encode(text).ok_or_else(|| bad("decimal"))
}

fn uuid(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_start_matches("urn:uuid:").trim_matches(['{', '}']);
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| *c != '-')
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|two| two.iter().fold(0, |sum, digit| sum << 4 | digit)).collect();
    (digits.len() == 32).then_some(bytes)
}

fn sized(into: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Error> {
    let length = i32::try_from(bytes.len()).map_err(|_| bad("length"))?;
    into.extend(length.to_be_bytes());
    into.extend(bytes);
    Ok(())
}

const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_INFINITE: u8 = 0x08;
const UPPER_INFINITE: u8 = 0x10;

fn range<T>(
    (lower, upper): &Range<T>,
    encode: impl Fn(&T) -> Result<Vec<u8>, Error>,
) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0];
    let mut flags = 0;
    for (bound, inclusive, infinite) in
        [(lower, LOWER_INCLUSIVE, LOWER_INFINITE), (upper, UPPER_INCLUSIVE, UPPER_INFINITE)]
    {
        match bound {
            None => flags |= infinite,
            Some((value, kind)) => {
                if *kind == RangeBoundKind::Inclusive {
                    flags |= inclusive;
                }
                sized(&mut bytes, &encode(value)?)?;
            }
        }
    }
    if let Some(first) = bytes.first_mut() {
        *first = flags;
    }
    Ok(bytes)
}

fn array<T>(
    element: u32,
    values: &[Option<T>],
    encode: impl Fn(&T) -> Result<Vec<u8>, Error>,
) -> Result<Vec<u8>, Error> {
    let length = i32::try_from(values.len()).map_err(|_| bad("length"))?;
    let nulls = i32::from(values.iter().any(Option::is_none));
    let mut bytes = Vec::with_capacity(20 + 12 * values.len());
    bytes.extend(1_i32.to_be_bytes());
    bytes.extend(nulls.to_be_bytes());
    bytes.extend(element.to_be_bytes());
    bytes.extend(length.to_be_bytes());
    bytes.extend(1_i32.to_be_bytes());
    for value in values {
        match value {
            None => bytes.extend((-1_i32).to_be_bytes()),
            Some(value) => sized(&mut bytes, &encode(value)?)?,
        }
    }
    Ok(bytes)
}

/// The type of a column; `name` is for those that have no case.
pub(super) fn data_type(oid: Option<u32>, name: &str) -> DbDataType {
    match oid.unwrap_or(oid::UNSPECIFIED) {
        oid::BOOL => DbDataType::Boolean,
        oid::BYTEA => DbDataType::Binary,
        oid::FLOAT4 => DbDataType::Floating32,
        oid::FLOAT8 => DbDataType::Floating64,
        oid::INT2 => DbDataType::Int16,
        oid::INT4 => DbDataType::Int32,
        oid::INT8 => DbDataType::Int64,
        oid::TEXT | oid::VARCHAR | oid::BPCHAR => DbDataType::Str,
        oid::TIMESTAMP | oid::TIMESTAMPTZ => DbDataType::Datetime,
        oid::DATE => DbDataType::Date,
        oid::TIME => DbDataType::Time,
        oid::UUID => DbDataType::Uuid,
        oid::JSONB => DbDataType::Jsonb,
        oid::NUMERIC => DbDataType::Decimal,
        oid::INT4_RANGE => DbDataType::RangeInt32,
        oid::INT8_RANGE => DbDataType::RangeInt64,
        oid::NUM_RANGE => DbDataType::RangeDecimal,
        oid::INT4_ARRAY => DbDataType::ArrayInt32,
        oid::INT8_ARRAY => DbDataType::ArrayInt64,
        oid::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        oid::TEXT_ARRAY | oid::VARCHAR_ARRAY | oid::BPCHAR_ARRAY => DbDataType::ArrayStr,
        oid::INTERVAL => DbDataType::Interval,
        _ => DbDataType::Other(name.to_ascii_lowercase()),
    }
}

/// The value of a column of that type.
pub(super) fn value(data_type: &DbDataType, bytes: &[u8]) -> Result<DbValue, Error> {
    let found = match data_type {
        DbDataType::Boolean => bytes.first().map(|byte| DbValue::Boolean(*byte != 0)),
        DbDataType::Int8 => None,
        DbDataType::Int16 => fixed(bytes).map(i16::from_be_bytes).map(DbValue::Int16),
        DbDataType::Int32 => to_int4(bytes).map(DbValue::Int32),
        DbDataType::Int64 => to_int8(bytes).map(DbValue::Int64),
        DbDataType::Floating32 => fixed(bytes).map(f32::from_be_bytes).map(DbValue::Floating32),
        DbDataType::Floating64 => fixed(bytes).map(f64::from_be_bytes).map(DbValue::Floating64),
        DbDataType::Str => to_text(bytes).map(DbValue::Str),
        DbDataType::Binary => Some(DbValue::Binary(bytes.to_vec())),
        DbDataType::Date => to_int4(bytes)
            .filter(|days| *days != i32::MAX && *days != i32::MIN)
            .and_then(time::date)
            .map(DbValue::Date),
        DbDataType::Time => to_int8(bytes).and_then(time::time).map(DbValue::Time),
        DbDataType::Datetime | DbDataType::Timestamp => {
            to_int8(bytes).and_then(time::parts).map(DbValue::Datetime)
        }
        DbDataType::Uuid => fixed::<16>(bytes).map(|bytes| DbValue::Uuid(uuid_text(&bytes))),
        // After a version byte.
        DbDataType::Jsonb => bytes.get(1..).map(|json| DbValue::Jsonb(json.to_vec())),
        DbDataType::Decimal => numeric::decode(bytes).map(DbValue::Decimal),
        DbDataType::RangeInt32 => to_range(bytes, to_int4).map(DbValue::RangeInt32),
        DbDataType::RangeInt64 => to_range(bytes, to_int8).map(DbValue::RangeInt64),
        DbDataType::RangeDecimal => to_range(bytes, numeric::decode).map(DbValue::RangeDecimal),
        DbDataType::ArrayInt32 => to_array(bytes, to_int4).map(DbValue::ArrayInt32),
        DbDataType::ArrayInt64 => to_array(bytes, to_int8).map(DbValue::ArrayInt64),
        DbDataType::ArrayDecimal => to_array(bytes, numeric::decode).map(DbValue::ArrayDecimal),
        DbDataType::ArrayStr => to_array(bytes, to_text).map(DbValue::ArrayStr),
        DbDataType::Interval => to_interval(bytes).map(DbValue::Interval),
        DbDataType::Other(_) => Some(DbValue::Unsupported(bytes.to_vec())),
    };
    found.ok_or_else(|| Error::ValueConversionFailed(format!("{data_type:?}")))
}

fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}

fn to_int4(bytes: &[u8]) -> Option<i32> {
    fixed(bytes).map(i32::from_be_bytes)
}

fn to_int8(bytes: &[u8]) -> Option<i64> {
    fixed(bytes).map(i64::from_be_bytes)
}

fn to_text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn to_interval(bytes: &[u8]) -> Option<Interval> {
    let micros = to_int8(bytes.get(..8)?)?;
    Some(Interval { micros, days: to_int4(bytes.get(8..12)?)?, months: to_int4(bytes.get(12..)?)? })
}

fn uuid_text(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// A length and that many bytes; `None` inside for a length of -1.
fn take<'b>(bytes: &mut &'b [u8]) -> Option<Option<&'b [u8]>> {
    let length = to_int4(bytes.get(..4)?)?;
    let rest = bytes.get(4..)?;
    if length < 0 {
        *bytes = rest;
        return Some(None);
    }
    let length = usize::try_from(length).ok()?;
    *bytes = rest.get(length..)?;
    rest.get(..length).map(Some)
}

/// An empty range is no value here: its form has no way to say it, and unbounded it is not.
fn to_range<T>(bytes: &[u8], decode: impl Fn(&[u8]) -> Option<T>) -> Option<Range<T>> {
    let (&flags, mut rest) = bytes.split_first()?;
    if flags & EMPTY != 0 {
        return None;
    }
    let mut bound = |inclusive: u8, infinite: u8| {
        if flags & infinite != 0 {
            return Some(None);
        }
        let kind = match flags & inclusive {
            0 => RangeBoundKind::Exclusive,
            _ => RangeBoundKind::Inclusive,
        };
        Some(Some((decode(take(&mut rest)??)?, kind)))
    };
    let lower = bound(LOWER_INCLUSIVE, LOWER_INFINITE)?;
    Some((lower, bound(UPPER_INCLUSIVE, UPPER_INFINITE)?))
}

/// Of one dimension; others have no form here.
fn to_array<T>(bytes: &[u8], decode: impl Fn(&[u8]) -> Option<T>) -> Option<Vec<Option<T>>> {
    match to_int4(bytes.get(..4)?)? {
        0 => return Some(Vec::new()),
        1 => {}
        _ => return None,
    }
    let length = usize::try_from(to_int4(bytes.get(12..16)?)?).ok()?;
    let mut rest = bytes.get(20..)?;
    let mut values = Vec::new();
    for _ in 0..length {
        values.push(match take(&mut rest)? {
            None => None,
            Some(bytes) => Some(decode(bytes)?),
        });
    }
    Some(values)
}

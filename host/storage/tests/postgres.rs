//! PostgreSQL as guests see it, against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests")]

use std::time::Duration;

use auscult_host_storage::postgres::{
    Connection, DbDataType, DbValue, Error, Interval, Options, ParameterValue as P, Pools,
    QueryError,
    RangeBoundKind::{Exclusive, Inclusive},
};

#[path = "support/postgres.rs"]
mod support;

use support::Server;

async fn one(c: &mut Connection, sql: &str, params: Vec<P>) -> DbValue {
    let set = c.query(sql, params).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    match set.rows.concat().as_slice() {
        [value] => value.clone(),
        other => panic!("{sql}: {other:?}"),
    }
}

fn code(error: Error) -> String {
    match error {
        Error::QueryFailed(QueryError::DbError(error)) => error.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn values_of_every_type_come_back() {
    let Some(server) = Server::start() else { return };
    let pools = Pools::new(Options::default());
    let mut c = pools.open(&server.address).await.unwrap();
    let uuid = "123e4567-e89b-12d3-a456-426614174000";
    let interval = Interval { micros: -5, days: 40, months: 13 };
    let datetime = (1969, 12, 31, 23, 59, 58, 123_456_000);
    let integers = vec![Some(1), None, Some(-3)];
    let range = (Some((1, Inclusive)), Some((5, Exclusive)));
    let decimals = (Some(("1.50".to_owned(), Exclusive)), None);
    let texts = vec![Some("a,\"b".to_owned()), None, Some(String::new())];
    let long = "-12345678901234567890123456789012345678901234567890.000100";
    #[rustfmt::skip]
    let rows = [
        ("bool", P::Boolean(true), DbValue::Boolean(true)),
        ("int2", P::Int16(-2), DbValue::Int16(-2)),
        ("int4", P::Int32(i32::MIN), DbValue::Int32(i32::MIN)),
        ("int8", P::Int64(i64::MAX), DbValue::Int64(i64::MAX)),
        ("int8", P::Int32(7), DbValue::Int64(7)),
        ("float4", P::Floating32(0.1), DbValue::Floating32(0.1)),
        ("float8", P::Floating64(-0.1), DbValue::Floating64(-0.1)),
        ("text", P::Str("ü'\n".into()), DbValue::Str("ü'\n".into())),
        ("varchar", P::Str("x".into()), DbValue::Str("x".into())),
        ("bytea", P::Binary(vec![0, 255]), DbValue::Binary(vec![0, 255])),
        ("date", P::Date((2024, 2, 29)), DbValue::Date((2024, 2, 29))),
        ("time", P::Time((23, 59, 1, 1_000)), DbValue::Time((23, 59, 1, 1_000))),
        ("timestamp", P::Datetime(datetime), DbValue::Datetime(datetime)),
        ("timestamptz", P::Datetime(datetime), DbValue::Datetime(datetime)),
        ("timestamptz", P::Timestamp(3661), DbValue::Datetime((1970, 1, 1, 1, 1, 1, 0))),
        ("uuid", P::Uuid(uuid.to_uppercase()), DbValue::Uuid(uuid.into())),
        ("jsonb", P::Jsonb(b"{\"a\": [1]}".to_vec()), DbValue::Jsonb(b"{\"a\": [1]}".to_vec())),
        ("numeric", P::Decimal(long.into()), DbValue::Decimal(long.into())),
        ("int4range", P::RangeInt32(range), DbValue::RangeInt32(range)),
        ("int8range", P::RangeInt64((None, Some((9, Exclusive)))), DbValue::RangeInt64((None, Some((9, Exclusive))))),
        ("numrange", P::RangeDecimal(decimals.clone()), DbValue::RangeDecimal(decimals)),
        ("int4[]", P::ArrayInt32(integers.clone()), DbValue::ArrayInt32(integers)),
        ("int8[]", P::ArrayInt64(vec![]), DbValue::ArrayInt64(vec![])),
        ("numeric[]", P::ArrayDecimal(vec![Some("0.0".into()), None]), DbValue::ArrayDecimal(vec![Some("0.0".into()), None])),
        ("text[]", P::ArrayStr(texts.clone()), DbValue::ArrayStr(texts)),
        ("interval", P::Interval(interval), DbValue::Interval(interval)),
        ("int4", P::DbNull, DbValue::DbNull),
        ("text", P::DbNull, DbValue::DbNull),
        // One statement with other types of parameters is another statement.
        ("text", P::Int32(5), DbValue::Str("5".into())),
    ];
    for (kind, given, want) in rows {
        let cast = format!("SELECT $1::{kind} AS v");
        assert_eq!(one(&mut c, &cast, vec![given.clone()]).await, want, "{kind}");
        if (kind, &given) == ("text", &P::Int32(5)) {
            continue;
        }
        c.execute(&format!("CREATE TEMP TABLE t (v {kind})"), vec![]).await.unwrap();
        assert_eq!(c.execute("INSERT INTO t VALUES ($1)", vec![given]).await.unwrap(), 1);
        assert_eq!(one(&mut c, &format!("SELECT v FROM t -- {kind}"), vec![]).await, want);
        c.execute("DROP TABLE t", vec![]).await.unwrap();
    }
    for value in [P::Date((2023, 2, 29)), P::Uuid("x".into()), P::Decimal("1e5".into())] {
        let error = c.query("SELECT $1", vec![value]).await.unwrap_err();
        assert!(matches!(error, Error::BadParameter(_)), "{error:?}");
    }
    let set = c.query("SELECT 1 AS a, now() AS b, '\\x'::json AS c WHERE false", vec![]).await;
    assert_eq!(code(set.unwrap_err()), "22P02");
    let set = c.query("SELECT 1 AS a, '{}'::json AS \"B\" WHERE false", vec![]).await.unwrap();
    let columns: Vec<_> = set.columns.into_iter().map(|it| (it.name, it.data_type)).collect();
    let json = DbDataType::Other("json".into());
    assert_eq!(columns, [("a".into(), DbDataType::Int32), ("B".into(), json)]);
}

#[tokio::test]
async fn each_use_of_a_pooled_connection_starts_clean() {
    let Some(server) = Server::start() else { return };
    // One server connection: the second guest gets the first one's.
    let pools = Pools::new(Options { connections_max: 1, ..Options::default() });
    let mut first = pools.open(&server.address).await.unwrap();
    let pid = one(&mut first, "SELECT pg_backend_pid()", vec![]).await;
    first.execute("CREATE TABLE t (a int UNIQUE)", vec![]).await.unwrap();
    first.execute("CREATE TEMP TABLE mine (a int)", vec![]).await.unwrap();
    first.execute("SET search_path = pg_temp", vec![]).await.unwrap();
    one(&mut first, "SELECT set_config('work_mem', '77kB', false)", vec![]).await;
    one(&mut first, "SELECT pg_advisory_lock(5)::text", vec![]).await;
    first.execute(" /* */ BEGIN", vec![]).await.unwrap();
    first.execute("INSERT INTO public.t VALUES (1)", vec![]).await.unwrap();
    let error = first.execute("INSERT INTO public.t VALUES (1)", vec![]).await.unwrap_err();
    assert_eq!(code(error), "23505");
    drop(first);
    let mut second = pools.open(&server.address).await.unwrap();
    assert_eq!(one(&mut second, "SELECT pg_backend_pid()", vec![]).await, pid);
    assert_eq!(one(&mut second, "SELECT count(*) FROM t", vec![]).await, DbValue::Int64(0));
    assert_eq!(
        one(&mut second, "SELECT to_regclass('mine') IS NULL", vec![]).await,
        DbValue::Boolean(true)
    );
    assert_eq!(one(&mut second, "SHOW work_mem", vec![]).await, DbValue::Str("4MB".into()));
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
    assert_eq!(one(&mut second, locks, vec![]).await, DbValue::Int64(0));
    // Prepared statements gone behind sqlx's back: the next guest gets a new connection.
    second.execute("DEALLOCATE ALL", vec![]).await.unwrap();
    drop(second);
    let mut third = pools.open(&server.address).await.unwrap();
    assert_ne!(one(&mut third, "SELECT pg_backend_pid()", vec![]).await, pid);
}

#[tokio::test]
async fn limits_hold_and_say_so() {
    let Some(server) = Server::start() else { return };
    let options = Options {
        connections_max: 1,
        result_bytes_max: 10_000,
        acquire_time_max: Duration::from_millis(200),
        ..Options::default()
    };
    let pools = Pools::new(options);
    let mut c = pools.open(&server.address).await.unwrap();
    let error = c.query("SELECT generate_series(1, 1000)", vec![]).await.unwrap_err();
    let text = "query result exceeds limit of 10000 bytes".to_owned();
    assert_eq!(error, Error::QueryFailed(QueryError::Text(text)));
    assert_eq!(one(&mut c, "SELECT 1", vec![]).await, DbValue::Int32(1));
    let error = pools.open(&server.address).await.unwrap_err();
    assert!(matches!(error, Error::ConnectionFailed(_)), "{error:?}");
    for address in ["postgres://guest@127.0.0.1:1/x", "nonsense"] {
        let error = pools.open(address).await.unwrap_err();
        assert!(matches!(error, Error::ConnectionFailed(_)), "{error:?}");
    }
}

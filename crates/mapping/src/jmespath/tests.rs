//! What each form and function of the language gives.

use super::{Found, JmesPath};
use crate::json::parse_first;
use crate::token::Token;

const DATA: &str = r#"{
    "n": 60, "f": 1.5, "s": "d1", "e": "", "no": null, "big": 9223372036854775808,
    "min": -9223372036854775808, "max": 9223372036854775807, "ts": "2020-01-02T03:04:05Z",
    "a": [{"x": 3}, {"x": 1}, {"y": 5}], "l": [3, 1, 2], "nested": [[1], [2, 3], 4],
    "o": {"p": {"x": 1}, "q": {"x": 2}}, "a b": 7, "mixed": [1, "a"], "texts": ["b", "a"]
}"#;

fn check(expression: &str, want: &str) {
    let root = parse_first(DATA).unwrap().unwrap();
    let found = match JmesPath::parse(expression) {
        Err(error) => format!("syntax: {error}"),
        Ok(path) => match path.search(&root) {
            Err(error) => format!("error: {error}"),
            Ok(Found::Nothing) => "nothing".into(),
            Ok(Found::One(token)) => token.to_json().to_string(),
            Ok(Found::Projected(items)) => {
                let items = items.into_iter().map(|it| it.into_owned()).collect();
                format!("each {}", Token::Array(items).to_json())
            }
        },
    };
    assert_eq!(found, want, "{expression}");
}

#[test]
fn paths() {
    check("n", "60");
    check("\"a b\"", "7");
    check("o.p.x", "1");
    check("nope.x", "nothing");
    check("l[-1]", "2");
    check("l[5]", "nothing");
    check("a[*].x", "each [3,1]");
    check("a[?x>`1`].x | [0]", "3");
    check("a[?x>`1`].x[0]", "each []");
    check("nested[]", "each [1,2,3,4]");
    check("o.*.x", "each [1,2]");
    check("l[::-1]", "each [2,1,3]");
    check("l[1:]", "each [1,2]");
    check("(a[*].x)[1]", "1");
    check("[n, s]", "[60,\"d1\"]");
    check("{k: n, j: nope}", "{\"j\":null,\"k\":60}");
    check("a", "[{\"x\":3},{\"x\":1},{\"y\":5}]");
    check("@.n", "60");
    check("nope || e || `5`", "5");
    check("n && s", "\"d1\"");
    check("!e", "true");
    check("`null`", "nothing");
    check("'it\\'s'", "\"it's\"");
}

#[test]
fn comparisons() {
    check("n == `60`", "true");
    check("n == `60.0`", "false");
    check("n < '61'", "nothing");
    check("n >= f", "true");
    check("ts == '2020-01-02T03:04:05Z'", "false");
    check("ts == `\"2020-01-02T03:04:05Z\"`", "true");
    check("l == `[3, 1, 2]`", "true");
}

#[test]
fn faults_are_found_when_compiled() {
    check("$.n", "syntax: unexpected character '$' at character 1");
    check("n.a-b", "syntax: unexpected character '-' at character 4");
    check("nofunc(n)", "syntax: there is no function 'nofunc' at character 1");
    check("items(o)", "syntax: there is no function 'items' at character 1");
    check("add(`1`)", "syntax: add takes 2 arguments, not 1 at character 8");
    check("add(n", "syntax: the expression ends too early at character 6");
    check("", "syntax: the expression is empty at character 1");
    check("n.", "syntax: the expression ends too early at character 3");
}

#[test]
fn standard_functions() {
    check("abs(`-5`)", "5");
    check("avg(l)", "2.0");
    check("avg(`[]`)", "nothing");
    check("ceil(f)", "2");
    check("floor(`-1.2`)", "-2");
    check("sum(l)", "6");
    check("sum(`[]`)", "0");
    check("contains(l, `2`)", "true");
    check("contains(s, 'd')", "true");
    check("starts_with(ts, '2020')", "false");
    check("starts_with(ts, '01/02/2020')", "true");
    check("ends_with(s, '1')", "true");
    check("join('|', [ts, 'a'])", "\"01/02/2020 03:04:05|a\"");
    check("keys(o)", "[\"p\",\"q\"]");
    check("values(o)[1].x", "2");
    check("length('a\u{1F600}')", "3");
    check(
        "length(nope)",
        "error: length: wrong type of argument: a text, an array or an object is wanted",
    );
    check("max(l)", "3");
    check("min(texts)", "\"a\"");
    check(
        "max(mixed)",
        "error: max: wrong type of argument: an array of only numbers or only texts is wanted",
    );
    check("merge(o.p, {z: `1`})", "{\"x\":1,\"z\":1}");
    check("not_null(nope, no, s)", "\"d1\"");
    check("reverse(s)", "\"1d\"");
    check("sort(l)", "[1,2,3]");
    check("sort_by(a[:2], &x)[0].x", "1");
    check("max_by(a[:2], &x).x", "3");
    check("min_by(a[:2], &x).x", "1");
    check("map(&x, a)", "[3,1,null]");
    check("map(&{v: x}, a)[?v]", "each [{\"v\":3},{\"v\":1}]");
    check("to_array(n)", "[60]");
    check("to_array(@)[?nope]", "each []");
    check("to_number(' 5 ')", "5");
    check("to_number('1e2')", "100.0");
    check("to_number('1,000')", "nothing");
    check("to_number(s)", "nothing");
    check("to_string(f)", "\"1.5\"");
    check("to_string(o.p)", "\"{\\\"x\\\":1}\"");
    check("type(ts)", "\"string\"");
    check("type(n)", "\"number\"");
}

#[test]
fn functions_of_the_mapping_language() {
    check("add(max, `1`)", "-9223372036854775808");
    check("add(n, `0.5`)", "60.5");
    check("add(nope, `1`)", "error: add: wrong type of argument: a number is wanted");
    check("add(big, `1`)", "error: add: an integer beyond 64 bits cannot be calculated with");
    check("divide(`40`, `50`)", "0");
    check("divide(`-7`, `2`)", "-3");
    check("divide(n, `0`)", "error: divide: an integer is divided by zero");
    check("divide(min, `-1`)", "error: divide: the result does not fit 64 bits");
    check("divide(`7.0`, `0`)", "\"Infinity\"");
    check("pow(`10`, `2.5`)", "316.22776601683796");
    check("pow(`100`, `-2`)", "0");
    check("pow(`2`, `63`)", "error: pow: the result does not fit 64 bits");
    check("insertString('ppy', 'ha', `0`)", "\"happy\"");
    check(
        "insertString('a', 'b', `2`)",
        "error: insertString: the position is outside of the text",
    );
    check(
        "insertString('a', 'b', `1.0`)",
        "error: insertString: wrong type of argument: an integer is wanted",
    );
    check(
        "insertString(ts, 'b', `1`)",
        "error: insertString: wrong type of argument: a text is wanted",
    );
    check("fromUnixTimestamp(`1577934245`)", "\"2020-01-02T03:04:05Z\"");
    check("fromUnixTimestampMs(`-1`)", "\"1969-12-31T23:59:59.999Z\"");
    check(
        "fromUnixTimestamp(`253402300800`)",
        "error: fromUnixTimestamp: the time is outside of the years 1 to 9999",
    );
}

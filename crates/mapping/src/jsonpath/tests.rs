//! What each form of the dialect finds.

use super::{Hit, JsonPath};
use crate::json::parse_first;
use crate::token::path_of;

const SHOP: &str = r#"{
    "shop": {
        "box": [
            {"k": "r", "p": 8.95, "t": "A"}, {"k": "f", "p": 12, "t": "B", "i": "x"},
            {"k": "f", "p": 8, "t": "C", "i": null}
        ],
        "bike": {"p": 19, "when": "2020-01-02T03:04:05.50Z"}
    },
    "a b": 2, "list": [1, 2, 3], "s": "12", "deep": {"x": {"hr": 5}}
}"#;

/// Paths of everything found, joined by a space, or what went wrong.
fn check(path: &str, want: &str) {
    let root = parse_first(SHOP).unwrap().unwrap();
    let found = match JsonPath::parse(path) {
        Err(_) => "syntax".to_owned(),
        Ok(path) => match path.select(Hit::Value(&root)) {
            Err(error) => format!("{error:?}"),
            Ok(hits) => {
                let texts: Vec<_> = hits
                    .iter()
                    .map(|hit| match hit {
                        Hit::Value(it) => path_of(&root, it).unwrap(),
                        Hit::Pair(name, _) => format!("({name})"),
                    })
                    .collect();
                texts.join(" ").replace("$.shop.", "~")
            }
        },
    };
    assert_eq!(found, want, "{path}");
}

#[test]
fn steps() {
    check("$", "$");
    check("", "$");
    check("$.list", "$.list");
    check("list[1]", "$.list[1]");
    check("$.['a b']", "$['a b']");
    check("$['a b','s']", "$['a b'] $.s");
    check("$.a b", "syntax");
    check("$[\"a b\"]", "syntax");
    check("$.shop.box[*].t", "~box[0].t ~box[1].t ~box[2].t");
    check("$.shop.bike.*", "~bike.p ~bike.when");
    check("$.list.*", "");
    check("$.shop[*]", "");
    check("$.list[7]", "");
    check("$.list[-1]", "NegativeIndex");
    check("$.list[99999999999]", "BadIndex");
    check("$.list[-2:]", "$.list[1] $.list[2]");
    check("$.list[::-1]", "$.list[2] $.list[1] $.list[0]");
    check("$.list[::0]", "ZeroStep");
    check("$.list[ 0 , 2 ]", "$.list[0] $.list[2]");
    check("$..p", "~box[0].p ~box[1].p ~box[2].p ~bike.p");
    check("$..['t','k']", "~box[0].k ~box[0].t ~box[1].k ~box[1].t ~box[2].k ~box[2].t");
    check("$..[0]", "");
    check("$.", "syntax");
    check("$..", "syntax");
    check("$.list.length()", "syntax");
    check("$.list[abc]", "syntax");
    check("$x", "");
    check("@.s", "");
}

#[test]
fn filters() {
    check("$.shop.box[?(@.i)].t", "~box[1].t ~box[2].t");
    check("$.shop.box[?(@i)].t", "~box[1].t ~box[2].t");
    check("$.shop.box[?@.i].t", "syntax");
    check("$.shop.box[?(@.i != null)].t", "~box[1].t");
    check("$.shop.box[?(@.p > 8.5)].t", "~box[0].t ~box[1].t");
    check("$.shop.box[?(@.p==8.0)].t", "~box[2].t");
    check("$.shop.box[?(@.p==8&&@.t)].t", "syntax");
    check("$.shop.box[?(@.p==8 && @.t)].t", "~box[2].t");
    check("$.shop.box[?(@.p < $.shop.bike.p && @.k == 'f')].t", "~box[1].t ~box[2].t");
    check("$.shop.box[?(@.k =~ /F/i)].t", "~box[1].t ~box[2].t");
    check("$.shop.box[?(@.k =~ /(/)].t", "BadPattern");
    check("$.shop.box[?(@.t > 5)].t", "NotComparable");
    check("$..[?(@.s > 5)].s", "$.s");
    check("$..[?(@.hr)]", "$.deep.x");
    check("$.deep[?(@.hr)]", "");
    check("$.deep[?(@)]", "(x)");
    check("$.deep[?(@..hr)]", "(x)");
    check("$..[?(@.when == '2020-01-02T03:04:05.5Z')].p", "~bike.p");
    check("$..[?(@.when === '2020-01-02T03:04:05.5Z')].p", "");
    check("$..[?(@ == 3)]", "$.list[2]");
}

#[test]
fn chains_nest_to_the_right() {
    check("$.shop.box[?(@.k == 'f' && @.p == 8 || @.k == 'r')].t", "~box[2].t");
    check("$.shop.box[?(@.k == 'r' || @.k == 'f' && @.p == 8)].t", "~box[0].t ~box[2].t");
    check("$.shop.box[?(@.t == 'A' && @.k == 'x' || @.p > 1 && @.p < 9)].t", "~box[0].t");
}

#[test]
fn an_expression_that_would_never_end_is_given_up() {
    let wide = format!("[{}1]", "1,".repeat(999));
    let root = parse_first(&wide).unwrap().unwrap();
    let path = JsonPath::parse("$[?(@ == $[?(@ == 1)])]").unwrap();
    assert!(path.select(Hit::Value(&root)).is_ok_and(|it| it.len() == 1000));
    let path = JsonPath::parse("$[?(@ == $[?(@ == $[?(@ == 5)])])]").unwrap();
    assert!(path.select(Hit::Value(&root)).is_err());
}

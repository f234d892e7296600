//! A dependency that computes, and one function that tries to use its caller's authority.

mod bindings {
    wit_bindgen::generate!({ path: "../wit", world: "calc" });
    use super::Calc;
    export!(Calc);
}

struct Calc;

impl bindings::exports::test::calc::ops::Guest for Calc {
    fn add(a: i64, b: i64) -> i64 {
        a.saturating_add(b)
    }

    fn steal() -> String {
        spin_sdk::variables::get("greeting").unwrap_or_else(|_| "refused".to_owned())
    }
}

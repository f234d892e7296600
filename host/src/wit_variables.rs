//! `fermyon:spin/variables` for guests.

use crate::bindings::variables::{Error, Host};
use crate::instance::GuestState;

impl Host for GuestState {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<String, Error>> {
        let value = self.component().variables.get(&name).cloned();
        Ok(value.ok_or(Error::Undefined(name)))
    }
}

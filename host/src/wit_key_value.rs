//! `fermyon:spin/key-value` for guests.

use crate::bindings::key_value::{Error, Host, HostStore};
use crate::events;
use crate::instance::GuestState;
use auscult_host_storage::key_value::{self, Store};
use wasmtime::component::Resource;

/// Stores one instance may have open.
const STORES_MAX: usize = 64;

fn told(error: key_value::Error) -> Error {
    Error::Other(error.to_string())
}

impl Host for GuestState {}

impl HostStore for GuestState {
    async fn open(&mut self, label: String) -> wasmtime::Result<Result<Resource<Store>, Error>> {
        let Some(store) = self.component().key_value.get(&label).cloned() else {
            events::LabelDenied { component: &self.component().id, kind: "key-value" }.emit();
            return Ok(Err(Error::AccessDenied));
        };
        if self.n_stores >= STORES_MAX {
            return Ok(Err(Error::StoreTableFull));
        }
        self.n_stores += 1;
        Ok(Ok(self.table.push(store)?))
    }

    async fn get(
        &mut self,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<Option<Vec<u8>>, Error>> {
        Ok(self.table.get(&store)?.get(&key).await.map_err(told))
    }

    async fn set(
        &mut self,
        store: Resource<Store>,
        key: String,
        value: Vec<u8>,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.table.get(&store)?.set(&key, &value).await.map_err(told))
    }

    async fn delete(
        &mut self,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        Ok(self.table.get(&store)?.delete(&key).await.map_err(told))
    }

    async fn exists(
        &mut self,
        store: Resource<Store>,
        key: String,
    ) -> wasmtime::Result<Result<bool, Error>> {
        Ok(self.table.get(&store)?.exists(&key).await.map_err(told))
    }

    async fn get_keys(
        &mut self,
        store: Resource<Store>,
    ) -> wasmtime::Result<Result<Vec<String>, Error>> {
        Ok(self.table.get(&store)?.keys().await.map_err(told))
    }

    async fn drop(&mut self, store: Resource<Store>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        self.n_stores -= 1;
        Ok(())
    }
}

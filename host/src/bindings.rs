//! The host functions guests may import, made from `wit/` and linked once.

use crate::instance::GuestState;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

mod generated {
    wasmtime::component::bindgen!({
        inline: "
            package host:guest;
            world imports {
                import fermyon:spin/variables@2.0.0;
                import fermyon:spin/key-value@2.0.0;
                import fermyon:spin/sqlite@2.0.0;
                import spin:sqlite/sqlite@3.0.0;
                import spin:postgres/postgres@4.0.0;
            }
        ",
        path: [
            "../wit/deps/fermyon-spin@2.0.0",
            "../wit/deps/spin-sqlite@3.0.0",
            "../wit/deps/spin-postgres@4.0.0",
        ],
        imports: { default: async | trappable },
        with: {
            "fermyon:spin/key-value.store": auscult_host_storage::key_value::Store,
            "fermyon:spin/sqlite.connection": auscult_host_storage::sqlite::Connection,
            "spin:sqlite/sqlite.connection": auscult_host_storage::sqlite::Connection,
            "spin:postgres/postgres.connection": auscult_host_storage::postgres::Connection,
        },
    });
}

pub(crate) use generated::fermyon::spin::{key_value, sqlite as sqlite2, variables};
pub(crate) use generated::spin::postgres::postgres;
pub(crate) use generated::spin::sqlite::sqlite as sqlite3;

/// Everything a guest may import, ready to be linked.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    variables::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    key_value::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    sqlite2::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    sqlite3::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    postgres::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}

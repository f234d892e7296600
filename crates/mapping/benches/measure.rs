//! The engine natively: `cargo bench -p auscult-mapping`. Numbers are in `docs/mapping.md`; those of the same
//! cases in wasm come from `cargo bench --bench mapping_in_wasm`.

mod cases;

use divan::Bencher;

fn main() {
    divan::main();
}

#[divan::bench(args = cases::CASES.map(|(name, _)| name))]
fn engine(bencher: Bencher<'_, '_>, name: &str) {
    let Some((_, case)) = cases::CASES.iter().find(|(it, _)| *it == name) else { return };
    let case = case();
    assert_eq!(case(), 5, "{name}");
    bencher.bench_local(case);
}

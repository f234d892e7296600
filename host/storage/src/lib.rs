//! auscult-host-storage.

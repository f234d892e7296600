//! The machine the figures belong to.

use serde_json::{Value, json};

/// What the figures were measured on.
#[derive(Debug, Clone)]
pub struct Machine {
    cpu: String,
    cores: usize,
    memory_gb: u64,
    kernel: String,
    load: String,
}

impl Machine {
    /// This machine, as far as it tells.
    pub fn here() -> Self {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|it| it.starts_with(name));
            line.and_then(|it| it.split_once(':'))
                .map_or_else(String::new, |it| it.1.trim().to_owned())
        };
        let kb = field(&read("/proc/meminfo"), "MemTotal");
        let kb: u64 = kb.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or_default();
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gb: kb / 1_000_000,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: read("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" "),
        }
    }

    /// One line.
    pub fn line(&self) -> String {
        let Self { cpu, cores, memory_gb, kernel, load } = self;
        format!("{cpu}, {cores} cores, {memory_gb} GB, Linux {kernel}; load before: {load}")
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({
            "cpu": self.cpu, "cores": self.cores, "memory_gb": self.memory_gb,
            "kernel": self.kernel, "load_before": self.load,
        })
    }
}

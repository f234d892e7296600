//! Makes an application ready: manifest, variables, databases, files, machine code, routes.

use crate::allowed_hosts::AllowedHosts;
use crate::application::{ApplicationOptions, Inner, RouteEntry};
use crate::compile::CompileCache;
use crate::component::Component;
use crate::compose::{Part, compose};
use crate::events;
use crate::files;
use crate::instance::GuestState;
use crate::manifest::{self, DependencySource, Faults, Located, Manifest};
use crate::router::{Route, Router};
use crate::runtime::Runtime;
use crate::spin_headers::RouteHeaders;
use crate::start_error::StartError;
use crate::timer::TimerSpec;
use crate::variables::{self, Values};
use auscult_host_storage::{key_value, postgres, sqlite};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

/// Loads an application; every fault of its manifest is told at once.
pub(crate) async fn load(
    runtime: Arc<Runtime>,
    options: ApplicationOptions,
) -> Result<Inner, StartError> {
    let manifest = Arc::new(Manifest::load(&options.manifest)?);
    let data_dir = options.data_dir.clone();
    let data_error = |reason: &dyn std::fmt::Display| StartError::Data {
        path: data_dir.clone(),
        reason: format!("{reason:#}"),
    };
    std::fs::create_dir_all(&data_dir).map_err(|error| data_error(&error))?;
    let cache = Arc::new(CompileCache::open(&data_dir).map_err(|error| data_error(&error))?);

    let mut faults = Faults::new(&manifest.path, "");
    let environment = |name: &str| std::env::var(name).ok();
    let values = variables::resolve(&manifest, &options.variables, environment, &mut faults);
    let (router, routes) = routes(&manifest, &mut faults);
    let drafts: Vec<Draft> = manifest
        .components
        .keys()
        .map(|id| Draft::new(&manifest, id, &values, &mut faults))
        .collect();
    check_timers(&manifest, &mut faults);
    // Compiling may take seconds: the runtime's threads stay free for others.
    let compiled = {
        let (runtime, manifest, cache) = (runtime.clone(), manifest.clone(), cache.clone());
        let folder = data_dir.join("files");
        tokio::task::spawn_blocking(move || {
            for draft in drafts.iter() {
                draft.check_files(&manifest, &mut faults);
            }
            let mut made = Vec::new();
            for mut draft in drafts {
                draft.make(&runtime, &manifest, &cache, &folder, &mut faults);
                made.push(draft);
            }
            faults.finish(made)
        })
        .await
        .map_err(StartError::engine)?
    };
    let compiled = compiled?;

    let databases = open_databases(&manifest, &data_dir).await?;
    let store = open_store(&manifest, &data_dir).await?;
    let mut components = HashMap::new();
    for draft in compiled {
        let component = draft.finish(&manifest, &runtime, &databases, store.as_ref());
        components.insert(component.id.to_string(), Arc::new(component));
    }
    assemble(runtime, &manifest, data_dir, components, router, routes, databases, store)
}

#[expect(clippy::too_many_arguments, reason = "the last step puts everything together")]
fn assemble(
    runtime: Arc<Runtime>,
    manifest: &Manifest,
    data_dir: std::path::PathBuf,
    components: HashMap<String, Arc<Component>>,
    router: Router,
    routes: Vec<(Route, String, RouteHeaders)>,
    databases: BTreeMap<String, sqlite::Database>,
    store: Option<key_value::Store>,
) -> Result<Inner, StartError> {
    let routes = routes
        .into_iter()
        .filter_map(|(route, id, headers)| {
            let component = components.get(&id)?.clone();
            let metrics = runtime.metrics.route(&id, &route.template);
            Some(RouteEntry { component, headers, metrics })
        })
        .collect();
    let internal =
        components.keys().map(|id| (id.clone(), runtime.metrics.route(id, "internal"))).collect();
    let mut timers = Vec::new();
    for (id, described) in &manifest.components {
        let Some(component) = components.get(id) else { continue };
        timers.extend(described.tool.timers.iter().map(|timer| TimerSpec {
            component: component.clone(),
            path: timer.path.clone(),
            every: Duration::from_millis(timer.every_ms),
        }));
    }
    Ok(Inner {
        runtime,
        name: manifest.name.clone(),
        data_dir,
        components,
        router,
        routes,
        internal,
        databases,
        store,
        postgres: postgres::Pools::new(postgres::Options::default()),
        timers,
    })
}

type Routed = (Route, String, RouteHeaders);

fn routes(manifest: &Manifest, faults: &mut Faults) -> (Router, Vec<Routed>) {
    let mut router = Router::default();
    let mut routes: Vec<Routed> = Vec::new();
    let mut lines = Vec::new();
    for trigger in &manifest.triggers {
        let Some(Located { value: pattern, line }) = &trigger.route else { continue };
        let parsed = Route::parse(pattern).and_then(|route| {
            let headers = RouteHeaders::new(&route)?;
            Ok((route, headers))
        });
        match parsed {
            Err(message) => faults.at_line(*line, message),
            Ok((route, headers)) => match router.add(&route, routes.len()) {
                Err(earlier) => {
                    let other = lines.get(earlier).copied().unwrap_or_default();
                    let message = format!(
                        "route '{pattern}' takes the same paths as the one in line {other}"
                    );
                    faults.at_line(*line, message);
                }
                Ok(()) => {
                    routes.push((route, trigger.component.value.clone(), headers));
                    lines.push(*line);
                }
            },
        }
    }
    (router, routes)
}

fn check_timers(manifest: &Manifest, faults: &mut Faults) {
    for (id, component) in &manifest.components {
        let is_served = manifest.triggers.iter().any(|trigger| trigger.component.value == *id);
        if !component.tool.timers.is_empty() && !is_served {
            let message = format!(
                "component '{id}' has a timer but no trigger: give it one, if only {{ private = true }}"
            );
            faults.at_line(component.line, message);
        }
        let mut paths = BTreeSet::new();
        for timer in &component.tool.timers {
            if !paths.insert(&timer.path) {
                let message = format!("component '{id}' has two timers for '{}'", timer.path);
                faults.at_line(component.line, message);
            }
        }
    }
}

/// A component on its way to being ready.
struct Draft {
    id: String,
    variables: BTreeMap<String, String>,
    allowed_hosts: AllowedHosts,
    files: Option<std::path::PathBuf>,
    pre: Option<ProxyPre<GuestState>>,
}

impl Draft {
    fn new(manifest: &Manifest, id: &str, values: &Values, faults: &mut Faults) -> Self {
        let mut draft = Self {
            id: id.to_owned(),
            variables: BTreeMap::new(),
            allowed_hosts: AllowedHosts::default(),
            files: None,
            pre: None,
        };
        let Some(described) = manifest.components.get(id) else { return draft };
        for (name, template) in &described.variables {
            match variables::expand(&template.value, manifest, values) {
                Ok(value) => {
                    draft.variables.insert(name.clone(), value);
                }
                Err(message) => faults.at_line(template.line, message),
            }
        }
        for template in &described.allowed_outbound_hosts {
            let added = variables::expand(&template.value, manifest, values)
                .and_then(|text| draft.allowed_hosts.add(&text));
            if let Err(message) = added {
                faults.at_line(template.line, message);
            }
        }
        let labels = described.sqlite_databases.iter().chain(&described.key_value_stores);
        for label in labels.filter(|label| !is_label(&label.value)) {
            let message =
                format!("'{}' is not a label: write letters, digits, '-' and '_'", label.value);
            faults.at_line(label.line, message);
        }
        draft
    }

    /// Tells missing files before anything is compiled.
    fn check_files(&self, manifest: &Manifest, faults: &mut Faults) {
        let Some(described) = manifest.components.get(&self.id) else { return };
        if let Some(source) = &described.source
            && !manifest.folder().join(&source.value).is_file()
        {
            let message = format!(
                "component '{}': there is no file {}; build the component first",
                self.id, source.value
            );
            faults.at_line(source.line, message);
        }
        for dependency in &described.dependencies {
            match &dependency.source {
                DependencySource::Path(path) if !manifest.folder().join(path).is_file() => {
                    faults.at_line(dependency.line, format!("there is no file {path}"));
                }
                DependencySource::Component(id) if !manifest.components.contains_key(id) => {
                    faults.at_line(dependency.line, format!("no component is called '{id}'"));
                }
                _ => {}
            }
        }
    }

    /// Composes, compiles and links the component, and lays out its files.
    fn make(
        &mut self,
        runtime: &Runtime,
        manifest: &Manifest,
        cache: &CompileCache,
        folder: &Path,
        faults: &mut Faults,
    ) {
        let Some(described) = manifest.components.get(&self.id) else { return };
        match files::lay_out(manifest.folder(), &folder.join(&self.id), described) {
            Ok(folder) => self.files = folder,
            Err((line, message)) => faults.at_line(line, message),
        }
        if !manifest.triggers.iter().any(|trigger| trigger.component.value == self.id) {
            return; // Only part of others.
        }
        let Some(source) = &described.source else { return };
        let path = manifest.folder().join(&source.value);
        if !path.is_file() {
            return; // Told already.
        }
        let begun = Instant::now();
        match self.link(runtime, manifest, cache, described, &path) {
            Ok(pre) => self.pre = Some(pre),
            Err(reason) => {
                faults.at_line(source.line, format!("component '{}': {reason}", self.id));
            }
        }
        let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        events::ComponentReady { component: &self.id, millis }.emit();
    }

    fn link(
        &self,
        runtime: &Runtime,
        manifest: &Manifest,
        cache: &CompileCache,
        described: &manifest::Component,
        path: &Path,
    ) -> Result<ProxyPre<GuestState>, String> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
        };
        let mut wasm = read(path)?;
        let mut parts = Vec::new();
        for dependency in &described.dependencies {
            let source = match &dependency.source {
                DependencySource::Path(path) => path,
                DependencySource::Component(id) => manifest
                    .components
                    .get(id)
                    .and_then(|component| component.source.as_ref())
                    .map(|source| &source.value)
                    .ok_or_else(|| format!("no component is called '{id}'"))?,
            };
            parts.push(Part {
                name: &dependency.name,
                wasm: read(&manifest.folder().join(source))?,
                export: dependency.export.as_deref(),
                inherit: &dependency.inherit,
            });
        }
        if !parts.is_empty() {
            wasm = compose(wasm, parts)?;
        }
        let component =
            cache.load(&runtime.engine, &self.id, &wasm).map_err(|error| format!("{error:#}"))?;
        runtime
            .linker
            .instantiate_pre(&component)
            .and_then(ProxyPre::new)
            .map_err(|error| format!("{error:#}"))
    }

    /// The component, with its databases.
    fn finish(
        self,
        manifest: &Manifest,
        runtime: &Runtime,
        databases: &BTreeMap<String, sqlite::Database>,
        store: Option<&key_value::Store>,
    ) -> Component {
        let described = manifest.components.get(&self.id).cloned().unwrap_or_default();
        let limits = &runtime.limits;
        let sqlite = described
            .sqlite_databases
            .iter()
            .filter_map(|label| Some((label.value.clone(), databases.get(&label.value)?.clone())));
        let key_value = described
            .key_value_stores
            .iter()
            .filter_map(|label| Some((label.value.clone(), store?.named(&label.value))));
        Component {
            id: self.id.into(),
            pre: self.pre,
            environment: described.environment.into_iter().collect(),
            files: self.files,
            variables: self.variables,
            allowed_hosts: self.allowed_hosts,
            sqlite: sqlite.collect(),
            key_value: key_value.collect(),
            memory_bytes_max: described.tool.memory_bytes_max.unwrap_or(limits.memory_bytes_max),
            deadline: described.tool.deadline_ms.map_or(limits.deadline, Duration::from_millis),
        }
    }
}

/// A label is also a file's name.
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 64
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

async fn open_databases(
    manifest: &Manifest,
    data_dir: &Path,
) -> Result<BTreeMap<String, sqlite::Database>, StartError> {
    let labels: BTreeSet<&String> = manifest
        .components
        .values()
        .flat_map(|component| &component.sqlite_databases)
        .map(|label| &label.value)
        .collect();
    let mut databases = BTreeMap::new();
    for label in labels {
        let path = data_dir.join("sqlite").join(format!("{label}.db"));
        let database =
            sqlite::Database::open(&path, sqlite::Options::default()).await.map_err(|error| {
                StartError::Storage {
                    what: "database",
                    label: label.clone(),
                    reason: error.to_string(),
                }
            })?;
        databases.insert(label.clone(), database);
    }
    Ok(databases)
}

async fn open_store(
    manifest: &Manifest,
    data_dir: &Path,
) -> Result<Option<key_value::Store>, StartError> {
    if manifest.components.values().all(|component| component.key_value_stores.is_empty()) {
        return Ok(None);
    }
    let path = data_dir.join("key-value.db");
    let store = key_value::Store::open(&path).await.map_err(|error| StartError::Storage {
        what: "store",
        label: "default".to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Some(store))
}

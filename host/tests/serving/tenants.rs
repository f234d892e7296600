//! Several applications in one process, each with its own data.

use crate::app::{App, stop};
use crate::client::{get, get_text, send};
use auscult_host::{Application, ApplicationOptions, Host, HostPaths, Limits, Mounts, Server};
use std::collections::BTreeMap;
use std::net::SocketAddr;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_share_a_process_and_nothing_else() {
    let apps = [("north", App::new()), ("south", App::new())];
    let host = Host::start(Limits::default()).unwrap();
    let mut mounts = Mounts::default();
    for (name, app) in &apps {
        let options = ApplicationOptions {
            manifest: app.manifest(),
            data_dir: app.data(),
            variables: BTreeMap::from([
                ("token".to_owned(), "t".to_owned()),
                ("greeting".to_owned(), format!("from {name}")),
            ]),
        };
        let application = Application::load(&host, options).await.unwrap();
        mounts.tenants.insert((*name).to_owned(), application);
    }
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::serve(host, mounts, any, HostPaths::default()).await.unwrap();
    let at = server.local_addr();
    assert_eq!(get_text(at, "/t/north/variable").await, "from north");
    assert_eq!(get_text(at, "/t/south/variable").await, "from south");
    let put = send(at, "PUT", "/t/north/key-value/a", "n", &[]).await.unwrap();
    assert_eq!(put.status, 204);
    assert_eq!(get(at, "/t/south/key-value/a").await.status, 404);
    assert_eq!(get_text(at, "/t/north/key-value/a").await, "n");
    let told = get_text(at, "/t/north/named/7?q=1").await;
    assert!(told.contains("spin-base-path: /t/north"), "{told}");
    assert!(told.contains("spin-full-url: http://test/t/north/named/7?q=1"), "{told}");
    assert_eq!(get(at, "/t/east/text").await.status, 404);
    assert_eq!(get(at, "/text").await.status, 404);
    stop(server).await;
}
